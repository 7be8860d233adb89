// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_host.hpp"

#include "coppice/actors/process_run.hpp"

#include <algorithm>
#include <csignal>

namespace coppice {

std::thread thread_without_signals(std::function<void()> what) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread result{std::move(what)}; // inherits the mask
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return result;
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
}

process_host& process_host::instance() {
  static process_host host;
  return host;
}

process_host::process_host()
  : thread_(thread_without_signals([this] { loop_.run(); })) {}

/// At the end of the program.
process_host::~process_host() {
  loop_.post([this] { kill_all(); });
  loop_.quit();
  thread_.join();
}

void process_host::begin(run_ptr what) {
  loop_.post(
    [this, what = std::move(what)]() mutable { enter(std::move(what)); });
}

void process_host::stop(run_ptr what) {
  loop_.post([what = std::move(what)] { what->stop(); });
}

void process_host::kill(run_ptr what) {
  loop_.post([what = std::move(what)] { what->kill(); });
}

void process_host::enter(run_ptr what) {
  auto& here = places_[what->place()];
  here.push_back(what);
  if (here.size() == 1)
    what->launch();
}

void process_host::leave(const process_run& what) {
  const auto i = places_.find(what.place());
  if (i == places_.end())
    return;
  auto& here = i->second;
  const auto was_first = !here.empty() && here.front().get() == &what;
  std::erase_if(here, [&](const run_ptr& x) { return x.get() == &what; });
  if (here.empty())
    places_.erase(i);
  else if (was_first) // not from here: it may fail at once, and leave
    loop_.post([next = here.front()] { next->launch(); });
}

void process_host::kill_all() {
  const auto places = std::exchange(places_, {}); // who is killed, leaves
  for (const auto& [place, runs] : places)
    for (const auto& run : runs)
      run->kill();
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "signals.hpp"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace coppice::tool {

namespace {

sigset_t our_signals() {
  sigset_t result;
  sigemptyset(&result);
  sigaddset(&result, SIGINT);
  sigaddset(&result, SIGTERM);
  sigaddset(&result, SIGHUP);
  return result;
}

} // namespace

signals::signals(std::function<void(int)> f) : f_(std::move(f)) {
  const auto ours = our_signals();
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  // A shell starts background jobs with SIGINT ignored; who sends it all the
  // same means it.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGPIPE, SIG_IGN); // `coppice run | head`: the tree goes on
  thread_ = std::thread{[this] { wait_for_signals(); }};
}

signals::~signals() {
  closing_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM); // wakes it
  thread_.join();
}

void signals::wait_for_signals() {
  const auto ours = our_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&ours, &signal) != 0 || closing_)
      return;
    f_(signal);
  }
}

} // namespace coppice::tool

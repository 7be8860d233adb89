// This file is part of coppice. License: see LICENSE in the source root.

#include "interrupts.hpp"

#include "options.hpp"

#include <csignal>
#include <cstdlib>

namespace text_index {

namespace {

sigset_t our_signals() {
  sigset_t result;
  sigemptyset(&result);
  sigaddset(&result, SIGINT);
  sigaddset(&result, SIGTERM);
  return result;
}

} // namespace

interrupts::interrupts() {
  const auto ours = our_signals();
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  thread_ = std::thread{[this] { wait_for_signals(); }};
}

interrupts::~interrupts() {
  closing_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM); // wakes it
  thread_.join();
}

void interrupts::wait_for_signals() {
  const auto ours = our_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&ours, &signal) != 0 || closing_)
      return;
    if (++signals_ > 1)
      std::quick_exit(was_interrupted);
  }
}

} // namespace text_index

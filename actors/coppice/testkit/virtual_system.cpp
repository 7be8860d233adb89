// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/testkit/virtual_system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace coppice::testkit {

namespace {

/// Messages per call once a limit was hit: enough to deliver a kill.
constexpr std::uint64_t messages_after_running_away = 10'000;

} // namespace

virtual_system::virtual_system(compat::configure_function configure)
  : virtual_system(std::move(configure), limits{}) {}

virtual_system::virtual_system(compat::configure_function configure,
                               limits bounds)
  : host_(std::make_unique<compat::deterministic_system>(std::move(configure))),
    deadlines_(std::make_shared<deadline_clock>(
      deadline_clock::options{.manual = true,
                              .now = [this] { return host_->now(); }})),
    current_deadlines_(deadlines_),
    limits_(bounds),
    begin_(host_->now()),
    own_actors_(host_->system().registry().running()) {}

virtual_system::~virtual_system() {
  if (running_actors() != 0)
    static_cast<void>(host_.release());
}

duration virtual_system::now() {
  return since_begin(host_->now());
}

void virtual_system::add(const std::shared_ptr<tree_context>& tree) {
  trees_.push_back(tree);
}

std::size_t virtual_system::running_actors() {
  return host_->system().registry().running() - own_actors_;
}

void virtual_system::run_away(const char* what, std::uint64_t count) {
  if (std::exchange(runaway_, true))
    return;
  ADD_FAILURE() << "the actors do not come to rest: more than " << count << ' '
                << what << " at " << policy::to_string(now());
}

void virtual_system::settle() {
  const auto most = runaway_ ? messages_after_running_away
                             : limits_.messages_max;
  for (std::uint64_t count = 0; host_->step();)
    if (++count > most)
      return run_away("messages", most);
}

time_point virtual_system::next_due() {
  auto due = std::min(host_->next_due(), deadlines_->next_due());
  for (const auto& weak : trees_)
    if (const auto tree = weak.lock())
      due = std::min(due, tree->dog().next_due());
  return due;
}

void virtual_system::advance_to(time_point when) {
  if (when > host_->now())
    host_->advance(when - host_->now());
  else if (host_->next_due() <= host_->now())
    host_->advance(duration::zero());
  deadlines_->run(host_->now());
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    const auto tree = trees_[i].lock();
    if (tree != nullptr && tree->dog().next_due() <= host_->now())
      tree->dog().run(host_->now());
  }
}

void virtual_system::run_for(duration span) {
  run_until([] { return false; }, span);
}

bool virtual_system::run_until(const std::function<bool()>& condition,
                               duration at_most) {
  const auto end = policy::saturating_add(host_->now(), at_most);
  settle();
  std::uint64_t steps = 0;
  std::uint64_t steps_at_once = 0;
  for (;;) {
    if (condition())
      return true;
    const auto due = next_due();
    if (due > end || runaway_)
      break;
    steps_at_once = due > host_->now() ? 0 : steps_at_once + 1;
    if (steps_at_once > limits_.steps_at_once_max) {
      run_away("timers that were due at once", steps_at_once);
      break;
    }
    if (++steps > limits_.steps_max) {
      run_away("timers in one run", limits_.steps_max);
      break;
    }
    advance_to(due);
    settle();
  }
  if (!runaway_ && end > host_->now()) {
    host_->advance(end - host_->now());
    settle();
  }
  return condition();
}

void virtual_system::suspend_for(duration span) {
  settle();
  advance_to(policy::saturating_add(host_->now(), span));
  settle();
}

} // namespace coppice::testkit

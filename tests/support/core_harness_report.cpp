// This file is part of coppice. License: see LICENSE in the source root.

// What one asks of the harness: commands, answers, the journal, the listing.

#include "support/core_harness.hpp"

#include <gtest/gtest.h>

namespace coppice::test {

using namespace policy;

// -- commands ----------------------------------------------------------------

core_harness::token core_harness::new_token() {
  const auto result = answers_.size() + 1;
  answers_[result] = std::nullopt;
  return result;
}

core_harness::token
core_harness::command(const std::function<directives(token)>& ask) {
  const auto result = new_token();
  obey(ask(result));
  settle();
  return result;
}

core_harness::token core_harness::start_child(child_spec spec) {
  EXPECT_EQ(to_string(validate(spec, core_.spec(), "child")), "");
  return command(
    [&](token x) { return core_.start_child(x, std::move(spec), now_); });
}

core_harness::token core_harness::start_instance() {
  return command([&](token x) { return core_.start_instance(x, now_); });
}

core_harness::token core_harness::terminate(const std::string& id) {
  return command(
    [&](token x) { return core_.terminate_child(x, core_.find(id), now_); });
}

core_harness::token core_harness::restart(const std::string& id) {
  return command(
    [&](token x) { return core_.restart_child(x, core_.find(id), now_); });
}

core_harness::token core_harness::remove(const std::string& id) {
  return command(
    [&](token x) { return core_.delete_child(x, core_.find(id), now_); });
}

core_harness::token core_harness::retry_now(const std::string& id) {
  return command(
    [&](token x) { return core_.retry_now(x, core_.find(id), now_); });
}

core_harness::token core_harness::stop(time_limit within) {
  return command([&](token x) { return core_.stop(x, within, now_); });
}

// -- answers -----------------------------------------------------------------

std::string core_harness::answer_to(token asked) const {
  const auto& given = answers_.at(asked);
  return given ? to_string(given->result) : "pending";
}

life_id core_harness::life_in_answer_to(token asked) const {
  const auto& given = answers_.at(asked);
  return given ? given->life : life_id{};
}

duration core_harness::time_of_answer_to(token asked) const {
  const auto& given = answers_.at(asked);
  return given ? given->at - time_point{} : duration::max();
}

// -- what happened -----------------------------------------------------------

std::vector<std::string> core_harness::journal() const {
  std::vector<std::string> result;
  for (const auto& x : journal_)
    result.push_back(x.what + ' ' + x.id + '#' + std::to_string(x.incarnation));
  return result;
}

std::vector<std::string> core_harness::order() const {
  std::vector<std::string> result;
  for (const auto& x : journal_)
    if (x.what == "start" || x.what == "startfail" || x.what == "end")
      result.push_back(x.what + ' ' + x.id);
  return result;
}

std::vector<duration> core_harness::times(const std::string& what) const {
  std::vector<duration> result;
  for (const auto& x : journal_)
    if (x.what + ' ' + x.id == what)
      result.push_back(x.at - time_point{});
  return result;
}

std::vector<core_harness::event> core_harness::events(event_kind kind) const {
  std::vector<event> result;
  for (const auto& x : events_)
    if (x.what.kind == kind)
      result.push_back(x);
  return result;
}

std::string core_harness::outcome() const {
  return end_ ? to_string(end_->reason) : "runs";
}

// -- what is -----------------------------------------------------------------

std::array<std::uint64_t, 4> core_harness::counts() const {
  const auto x = core_.counts();
  return {x.specs, x.running, x.supervisors, x.workers};
}

child_info core_harness::info(const std::string& id) const {
  const auto key = core_.find(id);
  if (key == no_child) {
    ADD_FAILURE() << "there is no child " << id;
    return {};
  }
  return core_.describe(key, now_);
}

namespace {

std::string state_of(const child_info& x) {
  std::string result = to_string(x.state);
  if (x.state == child_state::stopped)
    result += std::string{" "} + to_string(x.why);
  return result;
}

} // namespace

std::string core_harness::state(const std::string& id) const {
  return core_.find(id) == no_child ? "gone" : state_of(info(id));
}

std::vector<std::string> core_harness::listing() const {
  std::vector<std::string> result;
  for (const auto& x : core_.listing(now_))
    result.push_back(x.id + ' ' + state_of(x));
  return result;
}

std::uint64_t core_harness::incarnation(const std::string& id) const {
  return info(id).incarnation;
}

life_id core_harness::life(const std::string& id) const {
  return info(id).life;
}

std::uint64_t core_harness::restarts_in_window() const {
  return core_.restarts_in_window(now_);
}

time_limit core_harness::grace_asked_of(const std::string& id) const {
  return lives_.at(life(id)).grace;
}

duration core_harness::until_retry(const std::string& id) const {
  return info(id).next_retry - now_;
}

} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Follows each ticket through an admission core, and says what it does wrong.
///
/// Layer: tests.
/// Threads: use from one thread.
/// Rules: DEADLINE-2, DEADLINE-3.

#include "coppice/policy/admission_core.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <variant>
#include <vector>

namespace coppice::test {

/// The same calls as the core's; what it answers is compared with a list of
/// tickets kept in the plainest way. `Core` may be a broken one: see canaries.
template <class Core>
class admission_checker {
public:
  admission_checker(const policy::admission_spec& spec, std::size_t servers)
    : core(spec, servers, 7), spec_(spec), servers_(servers) {}

  void arrive(policy::time_point now, const policy::ticket& who) {
    const auto decision = core.on_arrival(now, who);
    if (decision.displaced)
      turned_away(*decision.displaced, now);
    if (decision.admitted()) {
      waiting_.emplace(who.id, who);
      expect(!is_over_, "admits after its end");
    } else {
      expect(decision.refused->who == who, "refuses another than came");
      expect(!decision.displaced, "drops one for nobody");
      check_reason(*decision.refused, now);
      ++refused_;
    }
    ++arrived_;
    check_books(now);
  }

  /// Asks until the core rests, as a shell does.
  void settle(policy::time_point now) {
    for (auto steps = waiting_.size() + 1;; --steps) {
      const auto step = core.next(now);
      if (std::holds_alternative<policy::rest>(step))
        break;
      if (const auto* go = std::get_if<policy::serve_ticket>(&step))
        started(*go, now);
      else
        turned_away(std::get<policy::shed_ticket>(step), now);
      if (steps == 0)
        return expect(false, "never rests");
    }
    expect(waiting_.empty() || serving_.size() >= servers_ || is_stopped_,
           "rests although there is work and a free server");
    expect(!is_stopped_ || waiting_.empty(), "keeps tickets after its stop");
    check_books(now);
  }

  void done(policy::time_point now, policy::duration service) {
    if (serving_.empty())
      return expect(!core.on_done(now, 999'999, service), "ends a stranger");
    const auto id = serving_.begin()->first;
    serving_.erase(serving_.begin());
    expect(core.on_done(now, id, service), "does not know what it started");
    expect(!core.on_done(now, id, service), "ends one twice");
    ++served_;
    check_books(now);
  }

  void lose(policy::time_point now) {
    if (serving_.empty())
      return;
    const auto id = serving_.begin()->first;
    serving_.erase(serving_.begin());
    expect(core.on_lost(now, id), "does not know what it started");
    ++lost_;
    check_books(now);
  }

  void cancel(policy::time_point now, std::uint64_t id) {
    using policy::cancel_outcome;
    const auto waits = waiting_.erase(id) > 0;
    dropped_ += waits ? 1 : 0;
    const auto expected = waits                   ? cancel_outcome::dropped
                          : serving_.contains(id) ? cancel_outcome::in_service
                                                  : cancel_outcome::unknown;
    expect(core.on_cancelled(now, id) == expected, "cancels something else");
    check_books(now);
  }

  void resize(policy::time_point now, std::size_t servers) {
    core.resize(now, servers_ = servers);
    check_books(now);
  }

  void drain() {
    is_over_ = true;
    core.drain();
  }

  void stop() {
    is_over_ = is_stopped_ = true;
    core.stop();
  }

  /// Ends everything: what was admitted must come back.
  void finish(policy::time_point now) {
    drain();
    resize(now, 1);
    for (auto left = waiting_.size() + serving_.size(); left > 0; --left) {
      settle(now);
      done(now, std::chrono::milliseconds{1});
    }
    settle(now);
    expect(waiting_.empty() && serving_.empty(), "loses tickets");
    expect(core.is_finished(), "does not know that it has finished");
  }

  /// The first thing that went wrong; empty if nothing did.
  [[nodiscard]] const std::string& objection() const { return objection_; }

  [[nodiscard]] const auto& waiting() const { return waiting_; }

  Core core;

private:
  void expect(bool holds, const char* otherwise) {
    if (!holds && objection_.empty())
      objection_ = otherwise;
  }

  void started(const policy::serve_ticket& x, policy::time_point now) {
    expect(waiting_.erase(x.who.id) == 1, "starts one that does not wait");
    expect(serving_.size() < servers_, "starts more than it has servers for");
    expect(!is_stopped_, "starts one after its stop");
    if (spec_.stale != policy::stale_check::none && x.who.deadline)
      expect(*x.who.deadline > now, "starts an expired one");
    const auto needed = core.snapshot(now).service_estimate;
    if (spec_.stale == policy::stale_check::cannot_finish && x.who.deadline
        && needed)
      expect(*x.who.deadline - now >= *needed, "starts one in vain");
    for (const auto& [id, other] : waiting_)
      expect(other.level >= x.who.level, "passes a more critical one over");
    serving_.emplace(x.who.id, x.who);
  }

  void turned_away(const policy::shed_ticket& x, policy::time_point now) {
    const auto found = waiting_.find(x.who.id);
    if (found == waiting_.end())
      return expect(false, "drops one that does not wait");
    expect(found->second == x.who, "changes a ticket");
    waiting_.erase(found);
    ++dropped_;
    check_reason(x, now);
  }

  void check_reason(const policy::shed_ticket& x, policy::time_point now) {
    using enum policy::shed_reason;
    if (x.why == expired)
      expect(x.who.deadline && *x.who.deadline <= now, "expires one too early");
    if (x.why == queue_full)
      expect(waiting_.size() >= spec_.queue_depth_max, "refuses without need");
    const auto hint = x.retry_after;
    const auto wants_hint = x.why == queue_full || x.why == standing_queue
                            || x.why == evicted;
    expect(hint.has_value() == wants_hint, "hints at the wrong time");
    if (hint)
      expect(*hint >= spec_.retry_after.min.span()
               && *hint <= spec_.retry_after.max.span(),
             "hints out of bounds");
  }

  void check_books(policy::time_point now) {
    const auto seen = core.snapshot(now);
    const auto sum = [](const auto& counts) {
      return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    };
    expect(waiting_.size() <= spec_.queue_depth_max, "overfills its queue");
    expect(seen.depth == waiting_.size(), "miscounts who waits");
    expect(seen.in_service == serving_.size(), "miscounts who is served");
    expect(seen.arrived == arrived_, "miscounts arrivals");
    expect(sum(seen.refused) == refused_, "miscounts refusals");
    expect(sum(seen.dropped) == dropped_, "miscounts drops");
    expect(seen.served == served_ && seen.lost == lost_, "miscounts ends");
    expect(seen.arrived == seen.admitted + refused_, "admits uncounted");
    expect(seen.admitted
             == served_ + lost_ + dropped_ + seen.depth + seen.in_service,
           "does not end each exactly once");
  }

  policy::admission_spec spec_;
  std::size_t servers_;
  std::map<std::uint64_t, policy::ticket> waiting_;
  std::map<std::uint64_t, policy::ticket> serving_;
  std::uint64_t arrived_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t served_ = 0;
  std::uint64_t lost_ = 0;
  bool is_over_ = false;
  bool is_stopped_ = false;
  std::string objection_;
};

} // namespace coppice::test

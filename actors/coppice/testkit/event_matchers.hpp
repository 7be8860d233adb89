// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Matchers for GoogleMock: what must have happened in a tree, in which order.
///
/// Layer: L3.
/// Threads: values.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "coppice/testkit/journal.hpp"

#include <gmock/gmock.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace coppice::testkit {

/// What an event must be like; what is not said does not matter.
///
///     Failed("/app/db", 1).cause(policy::end_cause::stall).at(3s)
class event_pattern {
public:
  event_pattern(event_kind kind, std::string path,
                std::optional<std::uint64_t> incarnation = {})
    : kind_(kind), path_(std::move(path)), incarnation_(incarnation) {}

  event_pattern cause(policy::end_cause x) &&;
  event_pattern why(policy::stopped_why x) &&;
  event_pattern span(policy::duration x) &&;
  event_pattern attempts(std::uint64_t x) &&;
  /// The class of the failure behind it.
  event_pattern because(std::string failure_class) &&;
  /// On the journal's clock.
  event_pattern at(policy::duration x) &&;

  [[nodiscard]] bool matches(const journal& from,
                             const supervision_event& event) const;
  [[nodiscard]] std::string text() const;

private:
  event_kind kind_;
  std::string path_;
  std::optional<std::uint64_t> incarnation_;
  std::optional<policy::end_cause> cause_;
  std::optional<policy::stopped_why> why_;
  std::optional<policy::duration> span_;
  std::optional<std::uint64_t> attempts_;
  std::optional<std::string> because_;
  std::optional<policy::duration> at_;
};

// The kinds by name. Path, and incarnation if it matters.
using optional_incarnation = std::optional<std::uint64_t>;
event_pattern Started(std::string path, optional_incarnation n = {});
event_pattern Ready(std::string path, optional_incarnation n = {});
event_pattern Failed(std::string path, optional_incarnation n = {});
event_pattern Stalled(std::string path, optional_incarnation n = {});
event_pattern BeatLate(std::string path, optional_incarnation n = {});
event_pattern Restarting(std::string path, optional_incarnation n = {});
event_pattern BackingOff(std::string path, optional_incarnation n = {});
event_pattern Stopped(std::string path, optional_incarnation n = {});
event_pattern Abandoned(std::string path, optional_incarnation n = {});
event_pattern AbandonedEnded(std::string path, optional_incarnation n = {});
event_pattern GaveUp(std::string path, optional_incarnation n = {});
event_pattern Forgotten(std::string path, optional_incarnation n = {});
event_pattern Event(event_kind kind, std::string path,
                    optional_incarnation n = {});

/// See `HappensInOrder` and `HappensTimes`.
class journal_matcher {
public:
  using is_gtest_matcher = void;

  explicit journal_matcher(std::vector<event_pattern> in_order)
    : patterns_(std::move(in_order)) {}
  journal_matcher(event_pattern what, std::size_t times)
    : patterns_{std::move(what)}, times_(times) {}

  bool MatchAndExplain(const journal& x, std::ostream* why) const;
  void DescribeTo(std::ostream* out) const;
  void DescribeNegationTo(std::ostream* out) const;

private:
  bool count(const journal& x, std::ostream* why) const;
  bool find_in_order(const journal& x, std::ostream* why) const;

  std::vector<event_pattern> patterns_;
  std::optional<std::size_t> times_;
};

/// These happened in this order, with whatever else in between.
///
///     EXPECT_THAT(seen(), HappensInOrder(Started("/app/a", 1),
///                                        Failed("/app/a", 1)));
template <class... Patterns>
[[nodiscard]] journal_matcher HappensInOrder(Patterns... patterns) {
  return journal_matcher{std::vector<event_pattern>{std::move(patterns)...}};
}

[[nodiscard]] inline journal_matcher Happens(event_pattern what) {
  return journal_matcher{std::vector<event_pattern>{std::move(what)}};
}

[[nodiscard]] inline journal_matcher HappensTimes(std::size_t times,
                                                  event_pattern what) {
  return {std::move(what), times};
}

[[nodiscard]] inline journal_matcher NeverHappens(event_pattern what) {
  return {std::move(what), 0};
}

} // namespace coppice::testkit

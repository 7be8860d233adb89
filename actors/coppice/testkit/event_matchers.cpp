// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/testkit/event_matchers.hpp"

#include <cstddef>

namespace coppice::testkit {

// -- patterns ----------------------------------------------------------------

event_pattern event_pattern::cause(policy::end_cause x) && {
  cause_ = x;
  return std::move(*this);
}

event_pattern event_pattern::why(policy::stopped_why x) && {
  why_ = x;
  return std::move(*this);
}

event_pattern event_pattern::span(policy::duration x) && {
  span_ = x;
  return std::move(*this);
}

event_pattern event_pattern::attempts(std::uint64_t x) && {
  attempts_ = x;
  return std::move(*this);
}

event_pattern event_pattern::because(std::string failure_class) && {
  because_ = std::move(failure_class);
  return std::move(*this);
}

event_pattern event_pattern::at(policy::duration x) && {
  at_ = x;
  return std::move(*this);
}

bool event_pattern::matches(const journal& from,
                            const supervision_event& event) const {
  const auto same = [](const auto& wanted, const auto& is) {
    return !wanted || *wanted == is;
  };
  return event.kind == kind_ && event.path == path_
         && same(incarnation_, event.incarnation) && same(cause_, event.cause)
         && same(why_, event.why) && same(span_, event.span)
         && same(attempts_, event.attempts) && same(at_, from.time_of(event))
         && (!because_
             || (event.because != nullptr
                 && event.because->failure_class == *because_));
}

std::string event_pattern::text() const {
  auto line = at_ ? policy::to_string(*at_) + ' ' : std::string{};
  line += path_.empty() ? std::string{"(tree)"} : path_;
  if (incarnation_)
    line += '#' + std::to_string(*incarnation_);
  line += std::string{" "} + policy::to_string(kind_);
  if (cause_)
    line += std::string{" cause="} + policy::to_string(*cause_);
  if (why_)
    line += std::string{" why="} + policy::to_string(*why_);
  if (span_)
    line += " span=" + policy::to_string(*span_);
  if (attempts_)
    line += " attempts=" + std::to_string(*attempts_);
  if (because_)
    line += " because of " + *because_;
  return line;
}

event_pattern Event(event_kind kind, std::string path, optional_incarnation n) {
  return {kind, std::move(path), n};
}

event_pattern Started(std::string path, optional_incarnation n) {
  return {event_kind::started, std::move(path), n};
}

event_pattern Ready(std::string path, optional_incarnation n) {
  return {event_kind::ready, std::move(path), n};
}

event_pattern Failed(std::string path, optional_incarnation n) {
  return {event_kind::failed, std::move(path), n};
}

event_pattern Stalled(std::string path, optional_incarnation n) {
  return {event_kind::stalled, std::move(path), n};
}

event_pattern BeatLate(std::string path, optional_incarnation n) {
  return {event_kind::beat_late, std::move(path), n};
}

event_pattern Restarting(std::string path, optional_incarnation n) {
  return {event_kind::restarting, std::move(path), n};
}

event_pattern BackingOff(std::string path, optional_incarnation n) {
  return {event_kind::backing_off, std::move(path), n};
}

event_pattern Stopped(std::string path, optional_incarnation n) {
  return {event_kind::stopped, std::move(path), n};
}

event_pattern Abandoned(std::string path, optional_incarnation n) {
  return {event_kind::abandoned, std::move(path), n};
}

event_pattern AbandonedEnded(std::string path, optional_incarnation n) {
  return {event_kind::abandoned_ended, std::move(path), n};
}

event_pattern GaveUp(std::string path, optional_incarnation n) {
  return {event_kind::gave_up, std::move(path), n};
}

event_pattern Forgotten(std::string path, optional_incarnation n) {
  return {event_kind::forgotten, std::move(path), n};
}

// -- matchers ----------------------------------------------------------------

bool journal_matcher::MatchAndExplain(const journal& x,
                                      std::ostream* why) const {
  return times_ ? count(x, why) : find_in_order(x, why);
}

bool journal_matcher::count(const journal& x, std::ostream* why) const {
  std::size_t found = 0;
  for (const auto& event : x.events())
    if (patterns_.front().matches(x, event)) {
      ++found;
      if (why != nullptr && found <= 10)
        *why << (found == 1 ? "which has" : ",") << "\n    "
             << line_of(x, event);
    }
  if (why != nullptr)
    *why << (found == 0 ? "which does not have it"
                        : "\n    " + std::to_string(found) + " times");
  return found == *times_;
}

bool journal_matcher::find_in_order(const journal& x, std::ostream* why) const {
  const auto events = x.events();
  std::size_t next = 0;
  std::string last;
  for (std::size_t i = 0; i < events.size() && next < patterns_.size(); ++i)
    if (patterns_[next].matches(x, events[i])) {
      last = line_of(x, events[i]);
      ++next;
    }
  if (next == patterns_.size())
    return true;
  if (why == nullptr)
    return false;
  *why << "which has no\n    " << patterns_[next].text();
  if (next > 0)
    *why << "\n  after\n    " << last;
  for (const auto& event : events)
    if (patterns_[next].matches(x, event)) {
      *why << "\n  but before it:\n    " << line_of(x, event);
      break;
    }
  return false;
}

void journal_matcher::DescribeTo(std::ostream* out) const {
  if (times_)
    *out << "has " << *times_ << " times";
  else
    *out << "has, in this order,";
  for (const auto& pattern : patterns_)
    *out << "\n    " << pattern.text();
}

void journal_matcher::DescribeNegationTo(std::ostream* out) const {
  *out << "does not hold: ";
  DescribeTo(out);
}

} // namespace coppice::testkit

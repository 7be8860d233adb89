// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/testkit/journal.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>

namespace coppice::testkit {

namespace {

/// Of one event, with its failure; the rest is cut.
constexpr std::size_t line_max = 300;
/// In the output of a failed test: from the beginning, and from the end.
constexpr std::size_t lines_max = 100;

} // namespace

journal::journal(policy::time_point begin)
  : begin_(begin), pages_(std::make_shared<pages>()) {}

observer journal::observer() const {
  return [to = pages_](const supervision_event& event) {
    std::lock_guard guard{to->mutex};
    to->events.push_back(event);
  };
}

std::vector<supervision_event> journal::events() const {
  std::lock_guard guard{pages_->mutex};
  return pages_->events;
}

std::vector<policy::duration> journal::times_of(event_kind kind,
                                                const std::string& path) const {
  std::vector<policy::duration> result;
  std::lock_guard guard{pages_->mutex};
  for (const auto& event : pages_->events)
    if (event.kind == kind && event.path == path)
      result.push_back(time_of(event));
  return result;
}

void journal::clear() {
  std::lock_guard guard{pages_->mutex};
  pages_->events.clear();
}

std::string line_of(const journal& from, const supervision_event& event) {
  auto line = policy::to_string(from.time_of(event)) + ' ' + to_string(event);
  if (line.size() > line_max)
    line.replace(line_max, std::string::npos, " ...");
  return line;
}

void PrintTo(const journal& x, std::ostream* out) {
  const auto events = x.events();
  *out << "a journal of " << events.size() << " events";
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i == lines_max && events.size() > 2 * lines_max) {
      i = events.size() - lines_max;
      *out << "\n    ...";
    }
    *out << "\n    " << line_of(x, events[i]);
  }
}

} // namespace coppice::testkit

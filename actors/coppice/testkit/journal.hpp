// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What happened in a tree, and when, written down for a test.
///
/// Layer: L3.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "coppice/policy/time.hpp"
#include "coppice/supervision_event.hpp"

#include <iosfwd>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace coppice::testkit {

/// Records the events of one or more trees. Copies share what is written.
///
///     journal seen;
///     supervise_options options;
///     options.on_event = seen.observer();
class journal {
public:
  /// @param begin  Where times are counted from.
  explicit journal(policy::time_point begin = {});

  [[nodiscard]] coppice::observer observer() const;

  [[nodiscard]] std::vector<supervision_event> events() const;

  /// Since `begin`.
  [[nodiscard]] policy::duration time_of(const supervision_event& event) const {
    return event.at - begin_;
  }

  /// When lives of the child at this path were started.
  [[nodiscard]] std::vector<policy::duration>
  starts_of(const std::string& path) const {
    return times_of(event_kind::started, path);
  }
  [[nodiscard]] std::vector<policy::duration>
  times_of(event_kind kind, const std::string& path) const;

  void clear();

private:
  struct pages {
    std::mutex mutex;
    std::vector<supervision_event> events;
  };

  policy::time_point begin_;
  std::shared_ptr<pages> pages_;
};

/// "1.5s /app/a#2 failed cause=crash ...", as failed tests show it.
[[nodiscard]] std::string line_of(const journal& from,
                                  const supervision_event& event);

/// For GoogleTest.
void PrintTo(const journal& x, std::ostream* out);

} // namespace coppice::testkit

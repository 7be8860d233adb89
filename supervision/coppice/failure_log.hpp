// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Writes each failure of a tree to a log once, where it ended.
///
/// Layer: L1.
/// Threads: sinks are called by one thread at a time, not always the same.
/// Rules: docs/semantics.md, FAILURE-5.

#include "coppice/supervision_event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

/// Who dealt with it decides how bad it is, not what it was.
enum class log_severity : std::uint8_t {
  warning,  ///< A supervisor restarts what failed.
  error,    ///< Nobody does: it stays stopped.
  critical, ///< The tree ends.
};

[[nodiscard]] const char* to_string(log_severity x) noexcept;

/// A failure, and what came of it.
struct failure_record {
  log_severity severity = log_severity::error;
  wall_time when = {};
  /// Of the child about which was decided, and its life.
  std::string path = {};
  std::uint64_t incarnation = 0;
  /// "restart", "backoff 200ms", "with its group" (stopped for a sibling's
  /// sake, or with its supervisor), "stop", "forget", "give up", or "none" if
  /// none came.
  std::string decision = {};
  /// In the window.
  std::uint64_t attempts = 0;
  /// Never null. The whole chain, from the level that ended it to the root
  /// cause.
  std::shared_ptr<const failure> why = {};
};

using log_field = std::pair<std::string, std::string>;

/// One list for all sinks: time, level, path, incarnation, decision, attempts,
/// class, bug, reference, causes (the references below it), message. The texts
/// are lines without control characters.
[[nodiscard]] std::vector<log_field> fields_of(const failure_record& x);

/// The fields as `key=value`, quoted where it has to be (logfmt).
/// @param skip  Fields to leave out, from the front: loggers have their own
///              time and level.
[[nodiscard]] std::string to_line(const failure_record& x,
                                  std::size_t skip = 0);

/// Where failures are written. What it throws while an event is dealt with is
/// counted by the event bus, as for any observer; on the thread that waits for
/// stops to have been held long enough, it is swallowed. Either way the record
/// is offered again: with the next event about the same child, or later.
class failure_log {
public:
  failure_log() = default;
  failure_log(const failure_log&) = delete;
  failure_log& operator=(const failure_log&) = delete;
  virtual ~failure_log();

  virtual void write(const failure_record& x) = 0;
};

/// A line each, flushed.
class ostream_failure_log : public failure_log {
public:
  /// @param out  Outlives this object.
  explicit ostream_failure_log(std::ostream& out) : out_(out) {}
  void write(const failure_record& x) override;

private:
  std::ostream& out_;
};

/// What follows a stop follows within microseconds.
inline constexpr policy::duration default_log_hold
  = std::chrono::milliseconds{100};

/// An observer that writes what ended to `sink`, once, however many levels it
/// passed: supervisors on the way up that give up are part of the failure. When
/// the tree ends, the record has the failure that who waits for it gets.
///
///     options.on_event = log_failures(
///       std::make_shared<ostream_failure_log>(std::clog));
///
/// @param sink  Not null: throws `std::invalid_argument`.
/// @param next  Gets all events afterwards, if it is there, whatever `sink`
///              throws.
/// @param hold  How long a child has to stay stopped before that is an end and
///              not the reason why its supervisor gives up. Range: 0 to 24
///              hours; others are taken for the nearer of these. A thread sees
///              to it from the first such stop on.
[[nodiscard]] observer log_failures(std::shared_ptr<failure_log> sink,
                                    observer next = {},
                                    policy::duration hold = default_log_hold);

/// Unit: failures, some 100 bytes each. An event that repeats one follows soon:
/// those of one restart of a group, say. Bounds each: what was written, what is
/// held, and what waits for a decision.
inline constexpr std::size_t remembered_max = 4'096;

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What scripted children can do, named by the fault.
///
/// Layer: L3.
/// Threads: values.
/// Rules: none; catalogue, 2.0.

#include "coppice/failure.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace coppice::testkit {

/// How a life starts.
struct start_act {
  enum class kind : std::uint8_t {
    starts,
    start_function_throws,
    returns_nothing,
    declines,
    crash_on_start,
    finish_on_start,
    never_ready,
    slow_start,
    hangs_on_start,
  };
  kind what = kind::starts;
  policy::duration span{0};
  std::string text = {};
};

inline start_act starts() {
  return {};
}
/// The start function throws; there is no actor.
inline start_act start_function_throws(std::string text = "scripted") {
  return {start_act::kind::start_function_throws, {}, std::move(text)};
}
/// The start function neither spawns nor declines.
inline start_act returns_nothing() {
  return {start_act::kind::returns_nothing, {}, {}};
}
inline start_act declines() {
  return {start_act::kind::declines, {}, {}};
}
/// The actor throws before it is ready.
inline start_act crash_on_start(std::string text = "scripted") {
  return {start_act::kind::crash_on_start, {}, std::move(text)};
}
/// The actor ends, cleanly, before it is ready.
inline start_act finish_on_start() {
  return {start_act::kind::finish_on_start, {}, {}};
}
/// Runs, and never says that it is ready.
inline start_act never_ready() {
  return {start_act::kind::never_ready, {}, {}};
}
inline start_act slow_start(policy::duration span) {
  return {start_act::kind::slow_start, span, {}};
}
/// Its initial function does not return until it is released.
inline start_act hangs_on_start() {
  return {start_act::kind::hangs_on_start, {}, {}};
}

/// What a life does with a message.
struct work_act {
  enum class kind : std::uint8_t {
    answers,
    throws,
    throws_failure,
    crash,
    finish,
    finish_with_note,
    hangs,
    stops_draining,
    healthy,
  };
  kind what = kind::answers;
  std::string text = {};
  failure why = {};
};

inline work_act answers() {
  return {};
}
inline work_act throws(std::string text = "scripted") {
  return {work_act::kind::throws, std::move(text), {}};
}
/// Throws a `failure_error`.
inline work_act throws(failure why) {
  return {work_act::kind::throws_failure, {}, std::move(why)};
}
/// Ends with this failure, without throwing.
inline work_act
crash(failure why = {.message = "scripted", .user_message = "scripted"}) {
  return {work_act::kind::crash, {}, std::move(why)};
}
/// Ends cleanly.
inline work_act finish() {
  return {work_act::kind::finish, {}, {}};
}
inline work_act finish_with_note(std::string text) {
  return {work_act::kind::finish_with_note, std::move(text), {}};
}
/// The handler does not return until it is released; nor does it beat.
inline work_act hangs() {
  return {work_act::kind::hangs, {}, {}};
}
/// From now on nothing in its mailbox is handled, until it is released; it has
/// no work in hand. Only in virtual time.
inline work_act stops_draining() {
  return {work_act::kind::stops_draining, {}, {}};
}
/// Reports itself healthy.
inline work_act reports_healthy() {
  return {work_act::kind::healthy, {}, {}};
}

/// What a life does when it is asked to end.
struct stop_act {
  enum class kind : std::uint8_t {
    obeys,
    ignores_shutdown,
    dies_slowly,
    crash_on_stop,
  };
  kind what = kind::obeys;
  policy::duration span{0};
};

inline stop_act obeys() {
  return {};
}
/// Only a kill ends it.
inline stop_act ignores_shutdown() {
  return {stop_act::kind::ignores_shutdown, {}};
}
inline stop_act dies_slowly(policy::duration span) {
  return {stop_act::kind::dies_slowly, span};
}
inline stop_act crash_on_stop() {
  return {stop_act::kind::crash_on_stop, {}};
}

} // namespace coppice::testkit

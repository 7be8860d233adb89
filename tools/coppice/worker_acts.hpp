// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What workers of the shipped kinds do: work and beat, crash, hang, go mute.
///
/// Layer: L4.
/// Threads: as any CAF actor; options are values.
/// Rules: docs/semantics.md, RESTART-1, HEARTBEAT-1, HEARTBEAT-3, STOP-1.

#include "coppice/actors/worker.hpp"
#include "coppice/life.hpp"
#include "coppice/policy/random.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace coppice::tool {

/// Work at intervals: that long, each time.
struct routine {
  duration every = std::chrono::milliseconds{100};
  duration busy = std::chrono::milliseconds{1};
};

/// When a worker begins to misbehave; what comes first counts.
struct trigger_options {
  count_limit beats = infinity; ///< After so many pieces of work.
  time_limit after = infinity;  ///< After so long.
  double chance = 0;            ///< At each piece of work. Range: 0 to 1.
  std::uint64_t seed = 1;       ///< Of the chance, with path and incarnation.
  count_limit lives = infinity; ///< Only in so many lives, the first ones.
};

/// Says when it is time. One per life.
class trigger {
public:
  trigger(const trigger_options& how, const std::string& path,
          std::uint64_t incarnation);

  /// After each piece of work.
  [[nodiscard]] bool is_due();

private:
  trigger_options how_;
  bool is_armed_;
  std::uint64_t beats_ = 0;
  std::chrono::steady_clock::time_point start_
    = std::chrono::steady_clock::now();
  policy::random_source random_;
};

/// Computes for that long, and beats meanwhile.
void compute(worker* self, duration span);

// -- beater ------------------------------------------------------------------

[[nodiscard]] caf::behavior beater(worker* self, routine work);

// -- crasher -----------------------------------------------------------------

struct crash_options {
  trigger_options when;
  /// Thrown is a failure of this class; nothing: a plain exception, a bug.
  std::optional<std::string> failure_class;
  std::string message = "crashed, as its arguments say";
  /// Does not crash: ends, cleanly.
  bool clean = false;
};

[[nodiscard]] caf::behavior crasher(worker* self, routine work,
                                    crash_options how);

// -- hanger ------------------------------------------------------------------

enum class hang_kind : std::uint8_t {
  computing, ///< An endless loop.
  blocked,   ///< Waits for what never comes.
};

struct hang_options {
  trigger_options when;
  hang_kind how = hang_kind::computing;
  /// Comes to itself after this.
  time_limit lasts = infinity;
  /// Looks whether it is asked to end, as long handlers should.
  bool polite = false;
};

[[nodiscard]] caf::behavior hanger(worker* self, routine work,
                                   hang_options how);

// -- muted -------------------------------------------------------------------

/// A plain CAF actor that beats by message; then works on without a word.
[[nodiscard]] caf::behavior muted(caf::event_based_actor* self, routine work,
                                  trigger_options when, life_handle life,
                                  std::string path, std::uint64_t incarnation);

// -- slow_stopper ------------------------------------------------------------

/// Takes that long to end when it is asked to; infinity: it never does.
[[nodiscard]] caf::behavior slow_stopper(worker* self, routine work,
                                         time_limit takes);

// -- flaky_start -------------------------------------------------------------

/// Is ready after `takes`, works, and loses what it depends on after `up`.
[[nodiscard]] caf::behavior client_of_flaky(worker* self, routine work,
                                            duration takes, time_limit up,
                                            std::string dependency);

} // namespace coppice::tool

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Handlers that take a random time for a request, and what they report.
///
/// Layer: L4, an example.
/// Threads: `work_log` is thread-safe; handlers as any CAF actor.
/// Rules: docs/semantics.md, REPLICATE-4, DEADLINE-4.

#include "coppice/actors/worker.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace example {

using seconds = std::chrono::duration<double>;

/// What one handler did about the request.
struct work_done {
  int handler = 0;
  /// What the work would take if nobody called it off.
  seconds load{0};
  seconds took{0};
  bool finished = false;
};

/// What all of them did. They share it, and it outlives them.
class work_log {
public:
  /// Writes a line as well.
  void add(const work_done& x);

  [[nodiscard]] std::vector<work_done> all() const;

private:
  mutable std::mutex guard_;
  std::vector<work_done> done_;
};

struct load_spec {
  /// Divides the 1 to 5 s of work that a request is.
  double scale = 5;
  std::uint64_t seed = 3;
};

/// Answers with its number, after 1 to 5 s over `how.scale`.
[[nodiscard]] caf::behavior handler(coppice::worker* self, int number,
                                    load_spec how,
                                    std::shared_ptr<work_log> log);

} // namespace example

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What must survive any actor: the index, and who works on which file.
///
/// The service owns it, outside of the tree, so that every actor of the tree
/// may fall at any moment: each operation is atomic, and leaves a state from
/// which the next life can go on.
///
/// Threads: thread-safe.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "corpus.hpp"
#include "words.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace text_index {

/// One life of a worker. The framework never uses an incarnation twice under
/// one path, so a greater one means that all earlier lives are over, or given
/// up: an abandoned life may still run, but nobody listens any more.
struct worker_life {
  std::string path;
  std::uint64_t incarnation = 0;
};

/// The right to bring in one file, once.
struct lease {
  std::uint64_t number = 0; ///< Never used twice.
  file_number file = 0;
  /// Lives that fell while they worked on this file.
  std::uint32_t strikes = 0;
};

/// The answer to a life that asks for work.
struct assignment {
  enum class kind : std::uint8_t {
    work,
    wait,     ///< Others have all that is left: a file may come back.
    finished, ///< There will be none.
    outlived, ///< A later life of this worker has asked already.
  };
  kind what = kind::wait;
  lease work = {}; ///< For `work`.
};

/// The answer to a life that brings in a file.
enum class receipt : std::uint8_t {
  counted,
  /// The lease was taken back: somebody else brings in this file, or has.
  too_late,
};

struct store_progress {
  std::uint64_t files_text = 0;
  std::uint64_t files_binary = 0;
  std::uint64_t files_unreadable = 0;
  std::uint64_t files_set_aside = 0;
  std::uint64_t words = 0;
  /// Results that came after their lease had been taken back.
  std::uint64_t late_results = 0;
  std::uint64_t leases = 0;

  [[nodiscard]] std::uint64_t files_done() const noexcept {
    return files_text + files_binary + files_unreadable + files_set_aside;
  }
};

class index_store {
public:
  /// @param lives_max  A file that so many lives fell over is set aside.
  index_store(std::size_t files, std::uint32_t lives_max);

  /// What this life shall do next. Takes back what its worker still held: from
  /// an earlier life, which has fallen, at the cost of a strike; from the same
  /// life, whose result was lost on its way, for nothing.
  [[nodiscard]] assignment next_for(const worker_life& life);

  /// Counts a file and ends its lease, in one step, or neither.
  [[nodiscard]] receipt bring_in(std::uint64_t lease_number,
                                 const file_scan& file);

  /// @returns Whether every file is done or set aside.
  [[nodiscard]] bool
  wait_until_finished(std::chrono::nanoseconds timeout) const;

  [[nodiscard]] store_progress progress() const;

  /// In the order of their numbers.
  [[nodiscard]] std::vector<file_number> set_aside() const;

  /// A copy: lives that were given up may still come by.
  [[nodiscard]] word_index index() const;

private:
  struct worker {
    std::uint64_t incarnation = 0;
    std::uint64_t last_lease = 0;
  };

  void take_back(std::uint64_t lease_number, bool has_fallen);
  [[nodiscard]] bool is_finished() const;

  const std::uint32_t lives_max_;
  mutable std::mutex mutex_;
  mutable std::condition_variable finished_;
  std::deque<file_number> pending_;
  std::map<std::uint64_t, file_number> leased_; ///< By number of the lease.
  std::vector<std::uint32_t> strikes_;          ///< By file.
  std::map<std::string, worker> workers_;
  std::vector<file_number> set_aside_;
  store_progress progress_;
  word_index index_;
};

} // namespace text_index

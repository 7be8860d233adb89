// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Chooses one of several equal workers.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one front of a pool.
/// Rules: docs/semantics.md, DEADLINE-3.

#include "coppice/policy/random.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace coppice::policy {

enum class dispatch_kind : std::uint8_t {
  /// One after the other. For requests that all cost the same.
  round_robin,
  /// The one with the fewest outstanding requests; ties in turn.
  least_loaded,
  /// The less loaded of two at random. Nearly as good as `least_loaded`, and
  /// does not send everybody to the newcomer where several fronts choose.
  /// Source: Mitzenmacher: The power of two choices (2001).
  two_random_choices,
  /// The same worker for the same key, as long as it is there. When one comes
  /// or goes, only the keys that it gets or had move.
  /// Source: Thaler, Ravishankar: rendezvous hashing (1998).
  by_key,
};

/// A worker, by the number that the shell gave it.
using member_id = std::uint64_t;

/// The worker chosen, and the life of it: a request that ends after its
/// worker's life does not count for the next one.
struct chosen_member {
  member_id who = 0;
  std::uint64_t life = 0;
  friend bool operator==(const chosen_member&, const chosen_member&) = default;
};

/// The workers of a pool, who come, go, and pause between two lives.
///
/// Memory: 40 bytes per member. Changes of the membership cost O(members).
class dispatcher {
public:
  /// @param seed  Of `two_random_choices`; the others draw no numbers.
  dispatcher(dispatch_kind kind, std::uint64_t seed) noexcept
    : kind_(kind), random_(seed) {}

  /// @returns false, and does nothing, if it is a member already.
  bool add(member_id who);

  /// @returns false if there is none such; so does the next.
  bool remove(member_id who);

  /// Between two lives: not to be chosen. What it had outstanding is over.
  bool pause(member_id who);

  /// The next life has begun. Nothing changes for one that does not pause.
  ///
  /// @param outstanding  What it has of the life before, if it goes on with
  ///                     that: to be ended as requests of the new life.
  /// @returns the number of its life, never 0; 0 if there is none such.
  std::uint64_t resume(member_id who, std::size_t outstanding = 0);

  /// Chooses one that does not pause, and counts the request as outstanding.
  ///
  /// @param key  For `by_key`; see `stable_hash` for texts. A member that
  ///             pauses lends its keys to others, and gets them back.
  /// @param busy_from  Do not choose one with so many outstanding; where all
  ///             have them, nothing. By key: not even if others have fewer.
  /// @returns nothing if there is none to choose.
  /// Cost: O(1) for `two_random_choices` and, if none is busy, `round_robin`;
  /// else O(members), about a nanosecond each.
  [[nodiscard]] std::optional<chosen_member>
  choose(std::uint64_t key = 0, std::size_t busy_from = SIZE_MAX);

  /// A request that was dispatched has ended, in whatever way.
  /// @returns false, and does nothing, if the member or its life is gone.
  bool on_done(const chosen_member& member);

  [[nodiscard]] std::size_t members() const noexcept { return members_.size(); }

  /// Those that do not pause.
  [[nodiscard]] std::size_t available() const noexcept {
    return available_.size();
  }

  /// 0 for one that is no member.
  [[nodiscard]] std::size_t outstanding(member_id who) const noexcept;

private:
  struct member {
    member_id who = 0;
    std::uint64_t hash = 0; ///< Of `who`.
    std::uint64_t life = 0;
    std::size_t outstanding = 0;
    bool pauses = false;
  };

  using index = std::size_t;
  static constexpr index nobody = SIZE_MAX;

  [[nodiscard]] index find(member_id who) const noexcept;
  [[nodiscard]] index in_turn(std::size_t busy_from) const noexcept;
  [[nodiscard]] index least_loaded() const noexcept;
  [[nodiscard]] index less_loaded_of_two() noexcept;
  [[nodiscard]] index of_key(std::uint64_t key) const noexcept;
  [[nodiscard]] index pick(std::uint64_t key, std::size_t busy_from);
  void rebuild(member_id turn);
  [[nodiscard]] member_id whose_turn() const noexcept;

  dispatch_kind kind_;
  random_source random_;
  /// In ascending order of their ids.
  std::vector<member> members_;
  /// Those of `members_` that do not pause, in the same order.
  std::vector<index> available_;
  /// Into `available_`: whose turn it is.
  index turn_ = 0;
  std::uint64_t lives_ = 0;
};

[[nodiscard]] const char* to_string(dispatch_kind x) noexcept;

} // namespace coppice::policy

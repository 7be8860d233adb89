// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A failure: what happened, when, where, what to tell the user, and why.
///
/// Layer: L1.
/// Threads: values; causes are shared, and immutable once shared.
/// Rules: docs/semantics.md, FAILURE-1, FAILURE-2, FAILURE-3.

#include "coppice/errc.hpp"
#include "coppice/failure_codec.hpp"
#include "coppice/failure_parts.hpp"
#include "coppice/sensitive_text.hpp"
#include "coppice/wall_time.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

struct failure;

/// Classes that coppice itself gives to failures. Users add their own.
namespace failure_classes {
inline constexpr const char* crash = "crash";
inline constexpr const char* stall = "stall";
inline constexpr const char* start_failure = "start_failure";
inline constexpr const char* start_timeout = "start_timeout";
inline constexpr const char* killed = "killed";
inline constexpr const char* node_lost = "node_lost";
inline constexpr const char* unreachable = "unreachable";
inline constexpr const char* gave_up = "gave_up";
inline constexpr const char* permanent_failure = "permanent_failure";
inline constexpr const char* error = "error"; ///< A foreign error code.
} // namespace failure_classes

/// The cause of a failure, or nothing. Shared, immutable, compared by value.
/// Within the limits, whatever it is made from: drops links in the middle of
/// chains beyond `failure_limits::links_max`, and cuts the largest links of
/// what is more than `failure_limits::bytes_max`.
class failure_cause {
public:
  failure_cause() noexcept = default;
  failure_cause(failure cause);

  [[nodiscard]] explicit operator bool() const noexcept {
    return ptr_ != nullptr;
  }
  [[nodiscard]] const failure& operator*() const noexcept { return *ptr_; }
  [[nodiscard]] const failure* operator->() const noexcept {
    return ptr_.get();
  }
  [[nodiscard]] const std::shared_ptr<const failure>& shared() const noexcept {
    return ptr_;
  }

  friend bool operator==(const failure_cause& x, const failure_cause& y);

private:
  friend class failure_trimmer;

  std::shared_ptr<const failure> ptr_;
};

/// One link of a chain of causes. Well-formed is one with a class, a message
/// and a `user_message`.
///
///     failure{.failure_class = "db_down", .message = "no route to db-7",
///             .user_message = "Please try again in a minute."}
struct failure {
  /// What happened, for programs: stable. Rules of specs match on it.
  std::string failure_class = failure_classes::error;
  failure_code code = {};
  /// For developers. May hold internals.
  std::string message = {};
  /// For users of the service. Must not hold internals.
  std::string user_message = {};
  /// Where a user learns more.
  std::string help_link = {};
  /// Names this failure to users and in logs.
  std::string reference = new_reference();
  wall_time when = wall_now();
  failure_where where = {};
  /// Context: keys and values, for developers.
  std::map<std::string, std::string> misc = {};
  /// Context that stays in this process: in text and on the wire there are
  /// the keys alone. Name a key in `message` as `{key}` rather than the value.
  std::map<std::string, sensitive_text> sensitive = {};
  /// A bug, or a known edge case? What was thrown or returned raw, not as a
  /// `failure`, is a bug: nobody thought of it (FAILURE-1).
  bool is_bug = false;
  /// When asking again may help.
  std::optional<std::chrono::nanoseconds> retry_after = {};
  failure_cause inner = {};
  /// What failed beside `inner`: all replicas, say, or what went wrong while
  /// this failure was handled. Add with `add_secondary`.
  std::vector<failure_cause> secondary = {};
  /// Leaf first. Append with `append_frame`.
  std::vector<failure_frame> frames = {};
  /// Of the throw: raw addresses, innermost first, and what they mean
  /// (FAILURE-4). Empty if nothing captured it.
  std::vector<std::uint64_t> stack = {};
  std::vector<std::string> stack_text = {};
  /// Left out for the limits: from the middle of `frames`, links between this
  /// one and `inner`, and at the end of `misc` and `sensitive`, of `secondary`
  /// and of `stack`.
  std::uint32_t frames_left_out = 0;
  std::uint32_t links_left_out = 0;
  std::uint32_t misc_left_out = 0;
  std::uint32_t secondary_left_out = 0;
  std::uint32_t stack_left_out = 0;

  /// 13 characters, unique in this process and most likely in the world.
  [[nodiscard]] static std::string new_reference();

  friend bool operator==(const failure&, const failure&) = default;
};

/// `outer`, caused by `inner`, which goes below what caused `outer` already.
/// A bug stays one, unless `outer` says what to tell the user about it.
[[nodiscard]] failure wrap(failure inner, failure outer);

/// The same without a word about bugs.
[[nodiscard]] failure attach(failure outer, failure inner);

/// Adds what failed beside the cause of `x`, up to `secondary_max` of them.
void add_secondary(failure& x, failure beside);

/// Adds what the next supervisor on the way up did (FAILURE-3).
void append_frame(failure& x, failure_frame frame);

/// The link where it all began.
[[nodiscard]] const failure& root_cause(const failure& x) noexcept;

/// The outermost link of this class, or null.
[[nodiscard]] const failure* find(const failure& x,
                                  std::string_view failure_class) noexcept;

/// Links in the chain, `x` included.
[[nodiscard]] std::size_t depth(const failure& x) noexcept;

/// A class, a message for developers and one for users?
[[nodiscard]] bool is_well_formed(const failure& x) noexcept;

/// One line, at most 4 KiB, no control characters.
[[nodiscard]] std::string to_string(const failure& x);

/// All there is, root to leaf, for developers. Ends with a line break. The
/// other renderings are in failure_user.hpp and failure_json.hpp.
[[nodiscard]] std::string describe(const failure& x);

/// CAF sees the bytes of failure_codec.hpp: bounded, and the same on all CAFs.
template <class Inspector>
compat::inspect_result<Inspector> inspect(Inspector& f, failure& x) {
  return compat::as_bytes(f, x, "coppice::failure", encode, decode);
}

} // namespace coppice

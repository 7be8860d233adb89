// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/throw_stack.hpp"

#include <unwind.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace coppice {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::atomic<throw_capture> mode{throw_capture::in_actors};
std::atomic<bool> hook_is_here{false};

/// The last that was given away; 0 is none.
std::atomic<std::uint64_t> last_stamp{0};

struct throw_record {
  const void* object;
  std::uint64_t stamp;
  raw_stack stack;
};

struct throw_records {
  std::array<throw_record, throws_kept> all;
  std::size_t next;
};

// Some 4 KiB, of which a thread that never throws touches nothing.
constinit thread_local throw_records records{};

// -- stamps ------------------------------------------------------------------

// An address says little: the next exception often gets that of the last one,
// and not all of them are thrown. So each that is recorded gets a number,
// written into padding of libstdc++'s header before the object: 4 bytes of
// reference count, 12 of padding, 112 of the ABI's header. libstdc++ zeroes it
// with every allocation, so a number that is there is of this very exception.
// Elsewhere, and if the place is in use, no stack is better than a wrong one.
#if defined(__GLIBCXX__) && defined(__LP64__)
static_assert(sizeof(_Unwind_Exception) == 32
              && alignof(_Unwind_Exception) == 16);
constexpr std::ptrdiff_t stamp_offset = -120;
constexpr bool has_stamps = true;
#else
constexpr std::ptrdiff_t stamp_offset = 0;
constexpr bool has_stamps = false;
#endif

std::uint64_t stamp_of(const void* object) noexcept {
  std::uint64_t result = 0;
  if (has_stamps)
    std::memcpy(&result, static_cast<const char*>(object) + stamp_offset,
                sizeof(result));
  return result;
}

/// 0 if it did not work.
std::uint64_t stamp(void* object) noexcept {
  if (!has_stamps || stamp_of(object) != 0)
    return 0;
  const auto result = last_stamp.fetch_add(1, relaxed) + 1;
  std::memcpy(static_cast<char*>(object) + stamp_offset, &result,
              sizeof(result));
  return result;
}

// -- records -----------------------------------------------------------------

const void* object_of(const std::exception_ptr& x) noexcept {
  // All that an exception_ptr is, in libstdc++: a pointer to the object.
  static_assert(sizeof(x) == sizeof(void*));
  const void* result = nullptr;
  std::memcpy(&result, &x, sizeof(result));
  return result;
}

/// Whatever is thrown and caught inside a handler, the record of what is
/// handled there stays. An address that comes again is that of an exception
/// that is gone, so most loops make do with one record.
throw_record& record_for(const void* object) noexcept {
  auto& all = records.all;
  const auto same = std::ranges::find(all, object, &throw_record::object);
  if (same != all.end())
    return *same;
  const auto take_next = [&all]() -> throw_record& {
    return all[std::exchange(records.next, (records.next + 1) % throws_kept)];
  };
  auto& oldest = take_next();
  const auto* const handled = object_of(std::current_exception());
  return handled == nullptr || oldest.object != handled ? oldest : take_next();
}

bool is_wanted() noexcept {
  const auto& flags = detail::flags_of_this_thread;
  const auto when = mode.load(relaxed);
  return flags.off == 0 && when != throw_capture::never
         && (flags.scopes > 0 || when == throw_capture::always);
}

} // namespace

namespace detail {

constinit thread_local throw_flags flags_of_this_thread{};

raw_stack* place_for_stack(void* object) noexcept {
  if (!is_wanted() || stack_depth() == 0)
    return nullptr;
  const auto number = stamp(object);
  if (number == 0)
    return nullptr;
  auto& record = record_for(object);
  record.object = object;
  record.stamp = number;
  record.stack.clear();
  return &record.stack;
}

void throw_hook_is_here() noexcept {
  hook_is_here.store(true, relaxed);
}

} // namespace detail

void set_throw_capture(throw_capture x) noexcept {
  mode.store(x, relaxed);
}

std::optional<raw_stack> stack_of_throw(const std::exception_ptr& x) noexcept {
  const auto* const object = object_of(x);
  if (object == nullptr || !has_throw_hook())
    return std::nullopt;
  const auto number = stamp_of(object);
  if (number == 0)
    return std::nullopt;
  const auto found = std::ranges::find(records.all, number,
                                       &throw_record::stamp);
  if (found == records.all.end() || found->object != object)
    return std::nullopt;
  return found->stack;
}

bool has_throw_hook() noexcept {
  return hook_is_here.load(relaxed);
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure.hpp"

#include "coppice/failure_limits.hpp"
#include "coppice/policy/random.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace coppice {

namespace {

using links = std::vector<const failure*>;

std::uint32_t saturated(std::uint64_t x) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(x, UINT32_MAX));
}

/// Root first.
links links_of(const failure& x) {
  links res{&x};
  while (res.back()->inner)
    res.push_back(res.back()->inner.shared().get());
  return res;
}

std::uint64_t seed_of_process() {
  auto res = static_cast<std::uint64_t>(
    std::chrono::system_clock::now().time_since_epoch().count());
  try {
    std::random_device device;
    res ^= (std::uint64_t{device()} << 32) ^ device();
  } catch (const std::exception&) {
    // No entropy here: the clock, and the process id below, have to do.
  }
  return res;
}

std::atomic<pid_t> known_process{0};

/// `getpid`, which asks the kernel each time, without asking it each time. A
/// forked child asks anew.
std::uint64_t process_id() {
  static const bool is_watched
    = pthread_atfork(nullptr, nullptr, [] { known_process = 0; }) == 0;
  auto res = known_process.load(std::memory_order_relaxed);
  if (res == 0 || !is_watched) {
    res = getpid();
    known_process.store(res, std::memory_order_relaxed);
  }
  return static_cast<std::uint64_t>(res);
}

std::string name_of_host() {
  std::array<char, 256> buf{};
  if (gethostname(buf.data(), buf.size() - 1) != 0)
    return {};
  return buf.data();
}

std::string name_of_thread() {
  std::array<char, 64> buf{};
  if (pthread_getname_np(pthread_self(), buf.data(), buf.size()) != 0)
    return {};
  return buf.data();
}

} // namespace

// -- code and place ----------------------------------------------------------

failure_code::failure_code(errc x)
  : category("coppice"),
    value(static_cast<std::int64_t>(x)),
    name(to_string(x)) {}

failure_code::failure_code(std::error_code x)
  : category(x.category().name()), value(x.value()) {
  try {
    name = x.message();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    name = "(its category threw)";
  }
}

failure_code::failure_code(std::string in, std::int64_t number,
                           std::string text)
  : category(std::move(in)), value(number), name(std::move(text)) {}

failure_where here(std::string path, std::uint64_t incarnation,
                   const char* file, int line, const char* function) {
  static const auto host = name_of_host();
  return {
    .host = host,
    .process = process_id(),
    .thread = name_of_thread(),
    .path = std::move(path),
    .incarnation = incarnation,
    .file = file,
    .line = static_cast<std::uint32_t>(line),
    .function = function,
  };
}

// -- cause -------------------------------------------------------------------

failure_cause::failure_cause(failure cause) {
  enforce_limits(cause);
  const auto chain = links_of(cause);
  if (chain.size() < failure_limits::links_max) {
    ptr_ = std::make_shared<const failure>(std::move(cause));
    return;
  }
  // One too many once this has an outer link: drop the link in the middle. The
  // one above counts it, and those that it had counted.
  constexpr auto middle = failure_limits::links_max / 2 - 1;
  auto inner = chain[middle]->inner;
  const auto lost = std::uint64_t{chain[middle]->links_left_out} + 1;
  for (auto i = middle; i-- > 0;) {
    auto link = *chain[i];
    if (i + 1 == middle)
      link.links_left_out = saturated(lost + link.links_left_out);
    link.inner = std::move(inner);
    inner.ptr_ = std::make_shared<const failure>(std::move(link));
  }
  ptr_ = std::move(inner.ptr_);
}

bool operator==(const failure_cause& x, const failure_cause& y) {
  if (x.ptr_ == y.ptr_)
    return true;
  return x.ptr_ && y.ptr_ && *x.ptr_ == *y.ptr_;
}

// -- failure -----------------------------------------------------------------

std::string failure::new_reference() {
  static const auto seed = seed_of_process();
  static std::atomic<std::uint64_t> count{0};
  // Mixing is a bijection, so no two of a process are equal. The process id
  // keeps a forked child, which has our seed and count, apart from us.
  const auto process = policy::random_source{process_id()}.next();
  const auto n = count.fetch_add(1, std::memory_order_relaxed);
  auto bits = policy::random_source{(seed + n) ^ process}.next();
  constexpr auto digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's
  std::string res(13, '0');
  for (auto& c : res) {
    c = digits[bits & 31];
    bits >>= 5;
  }
  return res;
}

failure wrap(failure inner, failure outer) {
  outer.is_bug = outer.is_bug || (inner.is_bug && outer.user_message.empty());
  return attach(std::move(outer), std::move(inner));
}

failure attach(failure outer, failure inner) {
  auto causes = std::vector<failure>{};
  for (auto cause = outer.inner; cause; cause = causes.back().inner)
    causes.push_back(*cause);
  for (; !causes.empty(); causes.pop_back()) {
    causes.back().inner = failure_cause{std::move(inner)};
    inner = std::move(causes.back());
  }
  outer.inner = failure_cause{std::move(inner)};
  enforce_limits(outer);
  return outer;
}

void add_secondary(failure& x, failure beside) {
  x.secondary.emplace_back(std::move(beside));
  enforce_limits(x);
}

void append_frame(failure& x, failure_frame frame) {
  x.frames.push_back(std::move(frame));
  enforce_limits(x);
}

const failure& root_cause(const failure& x) noexcept {
  auto res = &x;
  while (res->inner)
    res = res->inner.shared().get();
  return *res;
}

const failure* find(const failure& x, std::string_view failure_class) noexcept {
  for (auto i = &x; i != nullptr; i = i->inner.shared().get())
    if (i->failure_class == failure_class)
      return i;
  return nullptr;
}

std::size_t depth(const failure& x) noexcept {
  std::size_t res = 0;
  for (auto i = &x; i != nullptr; i = i->inner.shared().get())
    ++res;
  return res;
}

bool is_well_formed(const failure& x) noexcept {
  return !x.failure_class.empty() && !x.message.empty()
         && !x.user_message.empty();
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_trimmer.hpp"

#include "coppice/failure.hpp"
#include "coppice/failure_limits.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace coppice {

namespace {

namespace limits = failure_limits;

// -- counting ----------------------------------------------------------------

/// The size in front of a text that is within its limits takes three bytes.
constexpr std::size_t size_bytes = 3;
/// A number takes up to ten bytes, a small one five.
constexpr std::size_t number_bytes = 10;
constexpr std::size_t small_bytes = 5;
/// Of one link: its numbers, the counts of its lists, and sizes of blocks.
constexpr std::size_t fixed_bytes = 120;
/// What a link can be cut to, whatever is in it.
constexpr std::size_t link_bytes_min = 448;

// Both the longest chain, with the link that is about to be dropped from it,
// and as many secondary failures as there can be fit in, all cut to the bone.
static_assert((limits::links_max + 1 + limits::secondary_total_max)
                * link_bytes_min
              <= limits::bytes_max);

std::size_t bytes_of(const std::string& text) noexcept {
  return text.size() + size_bytes;
}

template <class... Texts>
std::size_t bytes_of_texts(const Texts&... xs) noexcept {
  return (bytes_of(xs) + ...);
}

std::size_t bytes_of_frames(const failure& x) noexcept {
  std::size_t res = 0;
  for (const auto& frame : x.frames)
    res += size_bytes + 2 * number_bytes + 2 * small_bytes
           + bytes_of_texts(frame.path, frame.decision);
  return res;
}

std::size_t bytes_of_misc(const failure& x) noexcept {
  std::size_t res = 0;
  for (const auto& [key, value] : x.misc)
    res += bytes_of_texts(key, value);
  for (const auto& [key, value] : x.sensitive)
    res += bytes_of(key);
  return res;
}

std::size_t bytes_of_stack(const failure& x) noexcept {
  std::size_t res = x.stack.size() * number_bytes;
  for (const auto& line : x.stack_text)
    res += bytes_of(line);
  return res;
}

/// Without its causes.
std::size_t bytes_of_link(const failure& x) noexcept {
  return fixed_bytes
         + bytes_of_texts(x.failure_class, x.code.category, x.code.name,
                          x.message, x.user_message, x.help_link, x.reference)
         + bytes_of_texts(x.where.host, x.where.thread, x.where.path,
                          x.where.file, x.where.function)
         + bytes_of_misc(x) + bytes_of_frames(x) + bytes_of_stack(x);
}

/// Calls `f` for `x` and all its causes, secondary ones included.
template <class F>
void each_link(const failure& x, const F& f) {
  for (auto link = &x; link != nullptr; link = link->inner.shared().get()) {
    f(*link);
    for (const auto& cause : link->secondary)
      if (cause)
        each_link(*cause, f);
  }
}

std::size_t secondary_total(const failure& x) noexcept {
  std::size_t res = 0;
  std::size_t chain = 0;
  each_link(x, [&res](const failure&) { ++res; });
  for (auto link = &x; link != nullptr; link = link->inner.shared().get())
    ++chain;
  return res - chain;
}

/// 0 without secondary failures.
std::size_t secondary_levels(const failure& x) noexcept {
  std::size_t res = 0;
  for (auto link = &x; link != nullptr; link = link->inner.shared().get())
    for (const auto& cause : link->secondary)
      if (cause)
        res = std::max(res, 1 + secondary_levels(*cause));
  return res;
}

void count(std::uint32_t& counter, std::size_t lost) noexcept {
  const auto room = std::size_t{UINT32_MAX - counter};
  counter += static_cast<std::uint32_t>(lost < room ? lost : room);
}

// -- cutting one link --------------------------------------------------------

void shorten(std::string& text, std::size_t max) {
  if (text.size() > max)
    text = cut(std::move(text), max);
}

void cut_stack(failure& x, std::size_t lines, std::size_t addresses) {
  const auto before = std::max(x.stack.size(), x.stack_text.size());
  if (x.stack_text.size() > lines)
    x.stack_text.resize(lines);
  if (x.stack.size() > addresses)
    x.stack.resize(addresses);
  const auto after = std::max(x.stack.size(), x.stack_text.size());
  count(x.stack_left_out, before - after);
}

void cut_misc(failure& x, std::size_t entries, std::size_t bytes) {
  const auto drop = [&](auto& map) {
    if (map.size() <= entries)
      return;
    count(x.misc_left_out, map.size() - entries);
    map.erase(std::next(map.begin(), static_cast<std::ptrdiff_t>(entries)),
              map.end());
  };
  drop(x.misc);
  drop(x.sensitive);
  for (auto& [key, value] : x.misc)
    shorten(value, bytes);
}

void cut_frames(failure& x, std::size_t frames) {
  if (x.frames.size() <= frames)
    return;
  const auto lost = x.frames.size() - frames;
  const auto first = x.frames.begin() + static_cast<std::ptrdiff_t>(frames / 2);
  x.frames.erase(first, std::next(first, static_cast<std::ptrdiff_t>(lost)));
  count(x.frames_left_out, lost);
}

void cut_texts(failure& x, std::size_t max) {
  for (auto* text : {&x.message, &x.user_message, &x.help_link})
    shorten(*text, max);
}

void cut_names(failure& x, std::size_t max) {
  // A class is for programs and a reference for searching: they last longest.
  shorten(x.failure_class, 2 * max);
  shorten(x.reference, std::max<std::size_t>(max, 14));
  for (auto* name :
       {&x.code.category, &x.code.name, &x.where.host, &x.where.thread,
        &x.where.path, &x.where.file, &x.where.function})
    shorten(*name, max);
}

/// What can be spared most goes first, and no more than has to.
void cut_link(failure& x, std::size_t max) {
  using step = void (*)(failure&, std::size_t);
  static constexpr step steps[] = {
    [](failure& y, std::size_t) { cut_stack(y, 16, limits::stack_max); },
    [](failure& y, std::size_t) { cut_misc(y, limits::misc_max, 128); },
    [](failure& y, std::size_t) { cut_frames(y, 8); },
    [](failure& y, std::size_t n) { cut_texts(y, n / 4); },
    [](failure& y, std::size_t) { cut_stack(y, 0, 16); },
    [](failure& y, std::size_t) { cut_misc(y, 4, 32); },
    [](failure& y, std::size_t n) { cut_texts(y, n / 8); },
    [](failure& y, std::size_t) { cut_frames(y, 0); },
    [](failure& y, std::size_t) { cut_misc(y, 0, 0); },
    [](failure& y, std::size_t n) { cut_names(y, n / 40); },
    [](failure& y, std::size_t) { cut_stack(y, 0, 0); },
  };
  for (const auto next : steps) {
    if (bytes_of_link(x) <= max)
      return;
    next(x, max);
  }
}

/// The largest size such that the links, each cut to it, fit in.
std::size_t link_bytes_for(const failure& x) {
  std::vector<std::size_t> sizes;
  each_link(x,
            [&sizes](const failure& y) { sizes.push_back(bytes_of_link(y)); });
  auto res = limits::bytes_max;
  for (; res > link_bytes_min; res -= res / 8) {
    std::size_t total = 0;
    for (const auto size : sizes)
      total += std::min(size, res);
    if (total <= limits::bytes_max)
      return res;
  }
  return link_bytes_min;
}

} // namespace

// -- cutting all -------------------------------------------------------------

bool failure_trimmer::has_few_secondary(const failure& x) noexcept {
  return x.secondary.size() <= limits::secondary_max
         && secondary_total(x) <= limits::secondary_total_max
         && secondary_levels(x) <= limits::secondary_levels_max;
}

void failure_trimmer::bound_secondary(failure& x) {
  std::erase_if(x.secondary, [](const auto& cause) { return !cause; });
  // What is below `inner` was bounded when it was made, so that this ends well.
  while (!x.secondary.empty() && !has_few_secondary(x)) {
    x.secondary.pop_back();
    count(x.secondary_left_out, 1);
  }
}

std::size_t failure_trimmer::bytes_of_all(const failure& x) noexcept {
  std::size_t res = 0;
  each_link(x, [&res](const failure& y) { res += bytes_of_link(y); });
  return res;
}

void failure_trimmer::bound_bytes(failure& x) {
  if (bytes_of_all(x) > limits::bytes_max)
    lighten(x, link_bytes_for(x));
}

/// Of a whole chain, from its end: chains are long, secondary levels are few.
void failure_trimmer::lighten(failure& x, std::size_t max) {
  std::vector<failure_cause> chain{x.inner};
  while (chain.back())
    chain.push_back(chain.back()->inner);
  failure_cause inner;
  for (chain.pop_back(); !chain.empty(); chain.pop_back()) {
    auto link = *chain.back();
    link.inner = {};
    cut_link(link, max);
    for (auto& cause : link.secondary)
      cause = lighter(cause, max);
    link.inner = std::move(inner);
    inner.ptr_ = std::make_shared<const failure>(std::move(link));
  }
  cut_link(x, max);
  for (auto& cause : x.secondary)
    cause = lighter(cause, max);
  x.inner = std::move(inner);
}

failure_cause failure_trimmer::lighter(const failure_cause& x,
                                       std::size_t max) {
  auto copy = *x;
  lighten(copy, max);
  failure_cause res;
  res.ptr_ = std::make_shared<const failure>(std::move(copy));
  return res;
}

} // namespace coppice

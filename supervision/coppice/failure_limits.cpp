// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_limits.hpp"

#include "coppice/failure.hpp"
#include "coppice/failure_trimmer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

namespace coppice {

namespace {

namespace limits = failure_limits;

void cut_in_place(std::string& text, std::size_t max) {
  if (text.size() > max)
    text = cut(std::move(text), max);
}

void count(std::uint32_t& counter, std::size_t lost) {
  const auto room = std::size_t{UINT32_MAX - counter};
  counter += static_cast<std::uint32_t>(lost < room ? lost : room);
}

void bound_frames(failure& x) {
  for (auto& frame : x.frames) {
    cut_in_place(frame.path, limits::name_max);
    cut_in_place(frame.decision, limits::name_max);
  }
  if (x.frames.size() <= limits::frames_max)
    return;
  const auto lost = x.frames.size() - limits::frames_max;
  const auto first = x.frames.begin() + limits::frames_max / 2;
  x.frames.erase(first, std::next(first, static_cast<std::ptrdiff_t>(lost)));
  count(x.frames_left_out, lost);
}

/// Cuts the keys; two that differ only beyond the cut become one.
template <class Map>
std::size_t bound_keys(Map& map) {
  std::size_t lost = 0;
  for (auto i = map.begin(); i != map.end();) {
    if (i->first.size() <= limits::name_max) {
      ++i;
      continue;
    }
    auto node = map.extract(i++);
    node.key() = cut(std::move(node.key()), limits::name_max);
    if (!map.insert(std::move(node)).inserted)
      ++lost;
  }
  if (map.size() > limits::misc_max) {
    lost += map.size() - limits::misc_max;
    map.erase(std::next(map.begin(), limits::misc_max), map.end());
  }
  return lost;
}

void bound_misc(failure& x) {
  for (auto& [key, value] : x.misc)
    cut_in_place(value, limits::misc_value_max);
  count(x.misc_left_out, bound_keys(x.misc));
  count(x.misc_left_out, bound_keys(x.sensitive));
}

void bound_where(failure_where& x) {
  for (auto* name : {&x.host, &x.thread, &x.path, &x.file, &x.function})
    cut_in_place(*name, limits::name_max);
}

void bound_stack(failure& x) {
  const auto before = std::max(x.stack.size(), x.stack_text.size());
  if (x.stack.size() > limits::stack_max)
    x.stack.resize(limits::stack_max);
  if (x.stack_text.size() > limits::stack_max)
    x.stack_text.resize(limits::stack_max);
  count(x.stack_left_out,
        before - std::max(x.stack.size(), x.stack_text.size()));
  for (auto& line : x.stack_text)
    cut_in_place(line, limits::name_max);
}

/// Each text, list and map of this link alone.
void bound_link(failure& x) {
  for (auto* name :
       {&x.failure_class, &x.code.category, &x.code.name, &x.reference})
    cut_in_place(*name, limits::name_max);
  for (auto* text : {&x.message, &x.user_message, &x.help_link})
    cut_in_place(*text, limits::text_max);
  bound_where(x.where);
  bound_misc(x);
  bound_frames(x);
  bound_stack(x);
}

// -- the same as a question --------------------------------------------------

bool is_name(const std::string& x) noexcept {
  return x.size() <= limits::name_max;
}

bool is_text(const std::string& x) noexcept {
  return x.size() <= limits::text_max;
}

bool are_lists_bounded(const failure& x) noexcept {
  return x.misc.size() <= limits::misc_max
         && x.sensitive.size() <= limits::misc_max
         && x.frames.size() <= limits::frames_max
         && x.stack.size() <= limits::stack_max
         && x.stack_text.size() <= limits::stack_max;
}

bool are_elements_bounded(const failure& x) noexcept {
  return std::ranges::all_of(x.misc,
                             [](const auto& entry) {
                               return is_name(entry.first)
                                      && entry.second.size()
                                           <= limits::misc_value_max;
                             })
         && std::ranges::all_of(
           x.sensitive, [](const auto& entry) { return is_name(entry.first); })
         && std::ranges::all_of(x.frames,
                                [](const auto& frame) {
                                  return is_name(frame.path)
                                         && is_name(frame.decision);
                                })
         && std::ranges::all_of(x.stack_text, is_name);
}

bool is_link_bounded(const failure& x) noexcept {
  return is_name(x.failure_class) && is_name(x.code.category)
         && is_name(x.code.name) && is_name(x.reference) && is_text(x.message)
         && is_text(x.user_message) && is_text(x.help_link)
         && is_name(x.where.host) && is_name(x.where.thread)
         && is_name(x.where.path) && is_name(x.where.file)
         && is_name(x.where.function) && are_lists_bounded(x)
         && are_elements_bounded(x);
}

// -- cutting again keeps the first size --------------------------------------

constexpr std::string_view mark_begin = " [cut from ";
constexpr std::string_view mark_end = " bytes]";

/// What `text` was before it was cut the first time. Unit: bytes.
std::size_t original_size(std::string_view text) {
  const auto at = text.rfind(mark_begin);
  if (at == std::string_view::npos || !text.ends_with(mark_end))
    return text.size();
  const auto digits = text.substr(at + mark_begin.size());
  std::size_t res = 0;
  const auto end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, res);
  const auto is_mark = parsed.ec == std::errc{}
                       && std::string_view{parsed.ptr, static_cast<std::size_t>(
                                                         end - parsed.ptr)}
                            == mark_end;
  return is_mark ? std::max(res, text.size()) : text.size();
}

} // namespace

std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max)
    return text;
  const auto mark = std::string{mark_begin}
                    + std::to_string(original_size(text))
                    + std::string{mark_end};
  auto keep = max > mark.size() ? max - mark.size() : 0;
  // Back to the start of a code point; three steps do unless it is no UTF-8.
  for (int i = 0; i < 3 && keep > 0; ++i) {
    if ((static_cast<unsigned char>(text[keep]) & 0xc0u) != 0x80u)
      break;
    --keep;
  }
  text.resize(keep);
  text.append(mark, 0, max - keep);
  return text;
}

void enforce_limits(failure& x) {
  bound_link(x);
  failure_trimmer::bound_secondary(x);
  failure_trimmer::bound_bytes(x);
}

bool is_within_limits(const failure& x) noexcept {
  return is_link_bounded(x) && failure_trimmer::has_few_secondary(x)
         && std::ranges::all_of(x.secondary,
                                [](const auto& cause) {
                                  return static_cast<bool>(cause);
                                })
         && failure_trimmer::bytes_of_all(x) <= limits::bytes_max;
}

} // namespace coppice

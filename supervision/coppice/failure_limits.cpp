// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_limits.hpp"

#include "coppice/failure.hpp"

#include <cstdint>
#include <iterator>
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

void bound_misc(failure& x) {
  for (auto i = x.misc.begin(); i != x.misc.end();) {
    cut_in_place(i->second, limits::misc_value_max);
    if (i->first.size() <= limits::name_max) {
      ++i;
      continue;
    }
    auto node = x.misc.extract(i++);
    node.key() = cut(std::move(node.key()), limits::name_max);
    if (!x.misc.insert(std::move(node)).inserted)
      count(x.misc_left_out, 1); // two keys that differed beyond the cut
  }
  if (x.misc.size() <= limits::misc_max)
    return;
  count(x.misc_left_out, x.misc.size() - limits::misc_max);
  x.misc.erase(std::next(x.misc.begin(), limits::misc_max), x.misc.end());
}

void bound_where(failure_where& x) {
  for (auto* name : {&x.host, &x.thread, &x.path, &x.file, &x.function})
    cut_in_place(*name, limits::name_max);
}

void bound_stack(failure& x) {
  if (x.stack.size() > limits::stack_max)
    x.stack.resize(limits::stack_max);
  if (x.stack_text.size() > limits::stack_max)
    x.stack_text.resize(limits::stack_max);
  for (auto& line : x.stack_text)
    cut_in_place(line, limits::name_max);
}

} // namespace

std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max)
    return text;
  const auto mark = " [cut from " + std::to_string(text.size()) + " bytes]";
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

} // namespace coppice

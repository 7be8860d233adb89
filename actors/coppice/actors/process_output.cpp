// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_output.hpp"

#include "coppice/text_escape.hpp"

#include <algorithm>

namespace coppice {

std::string harmless(std::string_view text, bool was_cut,
                     std::size_t bytes_max) {
  constexpr std::string_view mark = "...";
  std::string result;
  std::size_t fits = 0; // as much as leaves room for the mark
  while (!text.empty()) {
    append_escaped(result, text);
    if (result.size() + mark.size() <= bytes_max)
      fits = result.size();
    if (result.size() > bytes_max) {
      was_cut = true;
      break;
    }
  }
  if (was_cut) {
    result.resize(fits);
    result += mark;
  }
  return result;
}

void process_output::feed(bool is_error, std::string_view bytes) {
  bytes_ += bytes.size();
  auto& to = streams_[is_error ? 1 : 0];
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    append(to, bytes.substr(0, end));
    if (end < bytes.size())
      end_line(is_error);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

void process_output::finish() {
  for (const auto is_error : {false, true})
    if (const auto& x = streams_[is_error ? 1 : 0];
        !x.begun.empty() || x.was_cut)
      end_line(is_error);
}

void process_output::append(stream& to, std::string_view part) {
  const auto room = line_max - to.begun.size();
  to.was_cut = to.was_cut || part.size() > room;
  to.begun += part.substr(0, room);
}

void process_output::end_line(bool is_error) {
  auto& from = streams_[is_error ? 1 : 0];
  ++lines_;
  if (!from.begun.empty() && from.begun.back() == '\r')
    from.begun.pop_back();
  if (lines_max_ > 0 || on_line_) {
    process_line line{is_error, harmless(from.begun, from.was_cut, line_max)};
    if (on_line_)
      on_line_(line);
    last_.push_back(std::move(line));
    if (last_.size() > lines_max_)
      last_.pop_front();
  }
  from.begun.clear();
  from.was_cut = false;
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace coppice::tool {

namespace {

bool writes_to_terminal() {
  const auto* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && term != nullptr
         && std::string_view{term} != "dumb";
}

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace

console::console(bool plain)
  : is_terminal_(writes_to_terminal()),
    is_live_(!plain && is_terminal_),
    has_colours_(is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

console::~console() {
  end_status();
}

std::size_t console::rows() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
    return 24;
  return size.ws_row;
}

void console::print(std::string_view line) {
  const std::lock_guard lock{mutex_};
  erase();
  write_out(line);
  write_out("\n");
  draw();
  std::fflush(stdout);
}

void console::show_status(std::string text) {
  if (!is_live_)
    return;
  const std::lock_guard lock{mutex_};
  erase();
  status_ = std::move(text);
  draw();
  std::fflush(stdout);
}

void console::end_status() {
  show_status({});
}

void console::erase() {
  if (drawn_ > 0) // up that many lines, and away with all below
    write_out("\033[" + std::to_string(drawn_) + "F\033[J");
  drawn_ = 0;
}

void console::draw() {
  if (status_.empty())
    return;
  // Without wrapping: a line is a line, however long.
  write_out("\033[?7l" + status_ + "\033[?7h");
  drawn_ = static_cast<std::size_t>(
    std::count(status_.begin(), status_.end(), '\n'));
}

std::string coloured(std::string_view text, const char* colour,
                     bool has_colours) {
  if (!has_colours)
    return std::string{text};
  return std::string{"\033["} + colour + 'm' + std::string{text} + "\033[0m";
}

} // namespace coppice::tool

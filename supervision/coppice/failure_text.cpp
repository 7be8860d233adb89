// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace coppice {

namespace {

// -- characters --------------------------------------------------------------

constexpr bool is_control(char c) {
  const auto x = static_cast<unsigned char>(c);
  return x < 0x20 || x == 0x7f;
}

// A failure may hold what a stranger sent; it must not steer a terminal or
// fake a line of a log.
void append_escaped(std::string& out, char c) {
  constexpr auto hex = "0123456789abcdef";
  const auto x = static_cast<unsigned char>(c);
  if (c == '\n')
    out += "\\n";
  else if (c == '\t')
    out += "\\t";
  else if (is_control(c))
    out += std::string{"\\x"} + hex[x >> 4] + hex[x & 15];
  else
    out += c;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const auto c : text)
    append_escaped(out, c);
  return out;
}

/// One line of at most `max` bytes.
std::string shortened(std::string text, std::size_t max) {
  return cut(escaped(cut(std::move(text), max)), max);
}

/// Keeps line breaks and indents what follows them.
std::string indented(std::string_view text) {
  std::string out;
  for (const auto c : text) {
    if (c == '\n')
      out += "\n              ";
    else
      append_escaped(out, c);
  }
  return out;
}

// -- parts -------------------------------------------------------------------

std::string life_text(const std::string& path, std::uint64_t incarnation) {
  return incarnation == 0 ? path : path + '#' + std::to_string(incarnation);
}

std::string code_text(const failure_code& code) {
  if (code == failure_code{})
    return {};
  auto res = code.category + ':' + std::to_string(code.value);
  if (!code.name.empty())
    res += ' ' + code.name;
  return res;
}

/// What sets one link apart, in one line of less than a KiB.
std::string link_text(const failure& x) {
  constexpr std::size_t name_max = 128;
  constexpr std::size_t message_max = 512;
  auto res = shortened(x.failure_class, name_max);
  if (!x.where.path.empty())
    res += " in "
           + shortened(life_text(x.where.path, x.where.incarnation), name_max);
  if (!x.message.empty())
    res += ": " + shortened(x.message, message_max);
  if (const auto code = code_text(x.code); !code.empty())
    res += " (" + shortened(code, name_max) + ')';
  return res;
}

std::string left_out(std::size_t n, const char* what) {
  return "[" + std::to_string(n) + ' ' + what + " left out]";
}

std::string place_text(const failure_where& x) {
  std::string res;
  const auto add = [&res](std::string text) {
    if (!res.empty())
      res += ", ";
    res += text;
  };
  if (!x.path.empty())
    add(life_text(x.path, x.incarnation));
  if (!x.host.empty())
    add("host " + x.host);
  if (x.process != 0)
    add("process " + std::to_string(x.process));
  if (!x.thread.empty())
    add("thread " + x.thread);
  if (!x.file.empty())
    add(x.file + ':' + std::to_string(x.line));
  if (!x.function.empty())
    add(x.function);
  return res;
}

std::string frame_text(const failure_frame& x) {
  auto res = utc_text(x.when) + ' ' + life_text(x.path, x.incarnation) + ' '
             + x.decision;
  if (x.attempt != 0)
    res += ", attempt " + std::to_string(x.attempt) + " ("
           + std::to_string(x.attempts_in_window) + " in the window)";
  return res;
}

std::string address_text(std::uint64_t x) {
  std::string res = "0x";
  for (int shift = 60; shift >= 0; shift -= 4)
    res += "0123456789abcdef"[(x >> shift) & 15];
  return res;
}

// -- the report --------------------------------------------------------------

class report {
public:
  void add(const failure& x) {
    const auto what = x.message.empty() ? std::string{} : ": " + x.message;
    out_ += indented(x.failure_class + what) + '\n';
    row("code", code_text(x.code));
    row("for users", x.user_message);
    row("more", x.help_link);
    if (x.retry_after)
      row("retry", "after " + policy::to_string(*x.retry_after));
    row("reference", x.reference);
    row("when", utc_text(x.when));
    row("where", place_text(x.where));
    row("kind", x.is_bug ? "bug" : "known edge case");
    add_misc(x);
    add_frames(x);
    add_stack(x);
    if (x.links_left_out > 0)
      out_ += left_out(x.links_left_out, "causes") + '\n';
    if (x.inner)
      out_ += "caused by ";
  }

  std::string take() { return std::move(out_); }

private:
  void row(std::string_view key, std::string_view value) {
    if (value.empty())
      return;
    out_ += "  ";
    out_ += key;
    out_.append(key.size() < 12 ? 12 - key.size() : 1, ' ');
    out_ += indented(value) + '\n';
  }

  void add_misc(const failure& x) {
    for (const auto& [key, value] : x.misc)
      row("with", key + " = " + value);
    if (x.misc_left_out > 0)
      row("with", left_out(x.misc_left_out, "entries"));
  }

  // Root to leaf: from the last to the first.
  void add_frames(const failure& x) {
    const auto gap = x.frames_left_out > 0 ? x.frames.size() / 2 : 0;
    for (auto i = x.frames.size(); i-- > 0;) {
      row("via", frame_text(x.frames[i]));
      if (gap > 0 && i == gap)
        row("via", left_out(x.frames_left_out, "frames"));
    }
  }

  void add_stack(const failure& x) {
    if (!x.stack_text.empty()) {
      for (const auto& line : x.stack_text)
        row("stack", line);
      return;
    }
    for (const auto address : x.stack)
      row("stack", address_text(address));
  }

  std::string out_;
};

} // namespace

std::string to_string(const failure& x) {
  const auto tail = std::string{" ["} + (x.is_bug ? "bug, " : "") + "ref "
                    + shortened(x.reference, 64) + ']';
  const auto& leaf = root_cause(x);
  const auto last = " <- " + link_text(leaf);
  auto res = link_text(x);
  constexpr std::size_t gap = 64; // for the mark of what is left out
  const auto room = failure_limits::line_max - tail.size() - last.size() - gap;
  std::size_t skipped = 0;
  const auto* link = &x;
  for (; link->inner && &*link->inner != &leaf; link = &*link->inner) {
    const auto next = " <- " + link_text(*link->inner);
    if (skipped == 0 && res.size() + next.size() <= room)
      res += next;
    else
      ++skipped;
    skipped += link->links_left_out;
  }
  skipped += link->links_left_out;
  if (skipped > 0)
    res += " <- " + left_out(skipped, "causes");
  return res + (&leaf == &x ? "" : last) + tail;
}

std::string describe(const failure& x) {
  report res;
  for (auto link = &x; link != nullptr; link = link->inner.shared().get())
    res.add(*link);
  return res.take();
}

} // namespace coppice

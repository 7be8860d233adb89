// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/failure_user.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/text_escape.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace coppice {

namespace {

/// One line of at most `max` bytes.
std::string shortened(std::string text, std::size_t max) {
  return cut(escaped(cut(std::move(text), max)), max);
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
  if (const auto beside = x.secondary.size() + x.secondary_left_out; beside > 0)
    res += " (+ " + std::to_string(beside) + " beside it)";
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

// -- the report --------------------------------------------------------------

constexpr std::size_t key_width = 12;

class report {
public:
  void add_chain(const failure& x, std::size_t level) {
    pad_.assign(2 * level, ' ');
    for (auto link = &x; link != nullptr; link = link->inner.shared().get()) {
      add(*link, link == &x && level == 0);
      add_secondary(*link, level);
      if (link->links_left_out > 0)
        line(left_out(link->links_left_out, "causes"));
      if (link->inner)
        out_ += pad_ + "caused by ";
    }
  }

  std::string take() { return std::move(out_); }

private:
  void add(const failure& x, bool is_root) {
    out_
      += indented(x.failure_class + (x.message.empty() ? "" : ": " + x.message))
         + '\n';
    row("code", code_text(x.code));
    row("kind", x.is_bug ? "bug" : "known edge case");
    row("reference", x.reference);
    row("when", utc_text(x.when));
    row("where", place_text(x.where));
    row("user sees", is_root ? for_user(x).text : x.user_message);
    row("help", x.help_link);
    if (x.retry_after)
      row("retry", "after " + policy::to_string(*x.retry_after));
    add_misc(x);
    add_frames(x);
    add_stack(x);
  }

  void add_secondary(const failure& x, std::size_t level) {
    const auto count = x.secondary.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!x.secondary[i])
        continue;
      out_ += pad_ + "  beside it, " + std::to_string(i + 1) + " of "
              + std::to_string(count) + ": ";
      add_chain(*x.secondary[i], level + 1);
      pad_.assign(2 * level, ' ');
    }
    if (x.secondary_left_out > 0)
      line("  " + left_out(x.secondary_left_out, "failures beside it"));
  }

  /// Keeps line breaks, and lines up what follows them.
  std::string indented(std::string_view text) const {
    std::string res;
    while (!text.empty()) {
      if (text.front() == '\n') {
        res += '\n' + pad_ + std::string(2 + key_width, ' ');
        text.remove_prefix(1);
      } else {
        append_escaped(res, text);
      }
    }
    return res;
  }

  void line(std::string_view text) {
    out_ += pad_;
    out_ += text;
    out_ += '\n';
  }

  void row(std::string_view key, std::string_view value) {
    if (value.empty())
      return;
    out_ += pad_ + "  ";
    out_ += key;
    out_.append(key.size() < key_width ? key_width - key.size() : 1, ' ');
    out_ += indented(value) + '\n';
  }

  void add_misc(const failure& x) {
    for (const auto& [key, value] : x.misc)
      row("with", key + " = " + value);
    for (const auto& [key, value] : x.sensitive)
      row("with", key + " = " + to_string(value));
    if (x.misc_left_out > 0)
      row("with", left_out(x.misc_left_out, "entries"));
  }

  // Root to leaf: from the last to the first.
  void add_frames(const failure& x) {
    const auto gap = x.frames.size() / 2;
    for (auto i = x.frames.size(); i-- > 0;) {
      row("done", frame_text(x.frames[i]));
      if (x.frames_left_out > 0 && i == gap)
        row("done", left_out(x.frames_left_out, "frames"));
    }
    if (x.frames_left_out > 0 && x.frames.empty())
      row("done", left_out(x.frames_left_out, "frames"));
  }

  void add_stack(const failure& x) {
    for (const auto& text : x.stack_text)
      row("stack", text);
    if (x.stack_text.empty())
      for (const auto address : x.stack)
        row("stack", address_text(address));
    if (x.stack_left_out > 0)
      row("stack", left_out(x.stack_left_out, "calls"));
  }

  std::string out_;
  std::string pad_;
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
  res.add_chain(x, 0);
  return res.take();
}

} // namespace coppice

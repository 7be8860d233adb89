// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_lexer.hpp"

#include "coppice/caf_config_compat.hpp"
#include "coppice/policy/spec_section.hpp"
#include "coppice/topology_limits.hpp"
#include "coppice/topology_literal.hpp"

#include <algorithm>
#include <utility>

namespace coppice {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view after_words = " \t\r\n{}[]=,\"#;";

// Some editors mark UTF-8 so.
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool is_any_of(char c, std::string_view set) noexcept {
  return set.find(c) != std::string_view::npos;
}

bool is_key_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// CAF 0.17 wants a letter or a digit first.
bool is_key(std::string_view word) noexcept {
  return word.front() != '_' && word.front() != '-'
         && std::all_of(word.begin(), word.end(), is_key_character);
}

unsigned byte_at(std::string_view text, std::size_t i) noexcept {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
}

/// One pass over a file.
class lexer {
public:
  /// @param end  Where to stop looking; the text may go on.
  lexer(std::string_view text, std::size_t end) : text_(text), end_(end) {
    found_.covered = std::string{text};
  }

  void run() {
    if (text_.starts_with(byte_order_mark) && end_ >= byte_order_mark.size())
      cover(0, byte_order_mark.size(), ' ');
    while (at_ < end_ && !found_.is_hopeless)
      step();
  }

  lexed_text take() { return std::move(found_); }
  syntax_position position() { return {last_, std::move(open_)}; }

private:
  void step() {
    const auto c = text_[at_];
    if (is_any_of(c, " \t\n"))
      ++at_;
    else if (c == '\r')
      carriage_return();
    else if (c == '#' || c == ';' || text_.substr(at_, 2) == "//")
      comment();
    else if (c == '"')
      quoted_text();
    else if (is_any_of(c, "{[]}"))
      bracket(c);
    else if (c == '=' || c == ',')
      token(c == '=' ? syntax_token::assign : syntax_token::comma);
    else
      word();
  }

  void token(syntax_token x) {
    last_ = x;
    ++at_;
  }

  void cover(std::size_t from, std::size_t to, char with) {
    std::fill(found_.covered.begin() + static_cast<std::ptrdiff_t>(from),
              found_.covered.begin() + static_cast<std::ptrdiff_t>(to), with);
    at_ = to;
  }

  void defect(std::size_t offset, std::string value, std::string expected) {
    if (found_.defects.size() < topology_limits::defects_max)
      found_.defects.push_back({offset, std::move(value), std::move(expected)});
  }

  void give_up(std::size_t offset, std::string value, std::string expected) {
    defect(offset, std::move(value), std::move(expected));
    found_.is_hopeless = true;
  }

  void carriage_return() {
    if (byte_at(text_, at_ + 1) != '\n')
      defect(at_, policy::quoted("\r"), "a line end: \\n, or \\r\\n");
    cover(at_, at_ + 1, ' ');
  }

  void comment() {
    if (text_[at_] != '#')
      defect(at_, text_[at_] == ';' ? ";" : "//",
             "a comment that begins with #");
    found_.covered[at_] = compat::config_comment;
    while (++at_ < end_ && text_[at_] != '\n')
      if (!look_at_character())
        return;
  }

  /// Covers one character of a comment or a text if it has no place in either;
  /// leaves `at_` on its last byte.
  bool look_at_character() {
    const auto c = text_[at_];
    if (c == '\r' && byte_at(text_, at_ + 1) == '\n') {
      found_.covered[at_] = ' ';
      return true;
    }
    if (c != '\t' && policy::is_control(c)) {
      if (c == '\0') {
        give_up(at_, "\\x00", "a text file: it has no NUL bytes");
        return false;
      }
      defect(at_, policy::quoted(std::string_view{&c, 1}),
             "no control characters but line ends and tabs");
      found_.covered[at_] = '?';
      return true;
    }
    const auto end = end_of_character(text_, at_);
    if (end == at_) {
      defect(at_, byte_as_text(c), "UTF-8");
      found_.covered[at_] = '?';
      return true;
    }
    at_ = end - 1;
    return true;
  }

  void quoted_text() {
    const auto begin = at_;
    while (++at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      if (text_[at_] == '\\')
        escape();
      else if (!look_at_character())
        return;
    }
    if (byte_at(text_, at_) != '"')
      return give_up(begin, "a text that does not end",
                     "a closing \" on the same line; line ends in texts are "
                     "written \\n");
    token(in_value_position() ? syntax_token::value : syntax_token::key);
  }

  void escape() {
    const auto next = static_cast<char>(byte_at(text_, at_ + 1));
    if (next == '\0' || next == '\n' || next == '\r')
      return; // what is wrong with that is said at the next one
    if (is_any_of(next, "nrt\\\"")) {
      ++at_;
      return;
    }
    const auto end = std::max(end_of_character(text_, at_ + 1), at_ + 1);
    defect(at_, policy::printable(text_.substr(at_, end - at_)),
           "one of the escapes \\n, \\r, \\t, \\\\ and \\\"");
    found_.covered[at_] = '?';
  }

  void bracket(char c) {
    const auto is_open = c == '{' || c == '[';
    if (c == '[' && open_.empty() && last_ != syntax_token::assign)
      return give_up(at_, "[", "a section, written as: name { ... }");
    if (is_open && open_.size() == topology_limits::bracket_depth_max)
      return give_up(at_,
                     std::string{c} + " inside of "
                       + std::to_string(topology_limits::bracket_depth_max),
                     "at most "
                       + std::to_string(topology_limits::bracket_depth_max)
                       + " brackets inside one another");
    if (is_open)
      open_.push_back(at_);
    else if (!open_.empty())
      open_.pop_back(); // whether it fits is for the parser to say
    token(c == '{'   ? syntax_token::open_map
          : c == '[' ? syntax_token::open_list
                     : syntax_token::close);
  }

  [[nodiscard]] bool in_value_position() const {
    return last_ == syntax_token::assign
           || (!open_.empty() && text_[open_.back()] == '[');
  }

  void word() {
    const auto begin = at_;
    const auto is_value = in_value_position();
    const auto before = found_.defects.size();
    if (text_[at_] == '\'')
      skip_single_quotes();
    while (at_ < end_ && !is_any_of(text_[at_], after_words)) {
      if (!look_at_character())
        return;
      ++at_;
    }
    const auto found = text_.substr(begin, at_ - begin);
    last_ = is_value ? syntax_token::value : syntax_token::key;
    if (is_value && !is_literal(found))
      cover(begin, at_, '0');
    if (!is_value && !is_key(found)) {
      if (found_.defects.size() == before && !follows_defect(begin))
        bad_key(begin, found);
      found_.bad_keys.insert(begin);
      cover(begin, at_, 'x');
    }
  }

  void bad_key(std::size_t begin, std::string_view found) {
    const auto name = found.substr(0, found.size() - 1);
    if (found.ends_with(':') && !name.empty() && is_key(name))
      defect(begin + name.size(), ":",
             "= between a key and its value, or { and a section");
    else
      defect(begin, policy::printable(found),
             "a key of letters, digits, _ and -, which begins with a letter or "
             "a digit");
  }

  /// On the same line: then it is no news.
  [[nodiscard]] bool follows_defect(std::size_t offset) {
    if (found_.defects.empty())
      return false;
    const auto from = std::max(found_.defects.back().offset, same_line_until_);
    if (text_.substr(0, offset).find('\n', from) != text_.npos)
      return false;
    same_line_until_ = offset;
    return true;
  }

  /// 'one two' is one word, to be complained about once.
  void skip_single_quotes() {
    if (at_ >= line_end_)
      line_end_ = std::min(text_.find('\n', at_), end_);
    const auto close = text_.find('\'', at_ + 1);
    if (close < line_end_)
      while (at_ < close) {
        if (!look_at_character())
          return;
        ++at_;
      }
  }

  static std::string byte_as_text(char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }

  std::string_view text_;
  std::size_t end_;
  std::size_t at_ = 0;
  /// No line ends between the last defect and this.
  std::size_t same_line_until_ = 0;
  /// Of the last line with a single quote.
  std::size_t line_end_ = 0;
  syntax_token last_ = syntax_token::nothing;
  std::vector<std::size_t> open_;
  lexed_text found_;
};

} // namespace

lexed_text lex_topology(std::string_view text) {
  lexer x{text, text.size()};
  x.run();
  return x.take();
}

syntax_position syntax_before(std::string_view text, std::size_t offset) {
  lexer x{text, offset};
  x.run();
  return x.position();
}

std::size_t next_thing(std::string_view text, std::size_t from) {
  if (from == 0 && text.starts_with(byte_order_mark))
    from = byte_order_mark.size();
  while (from < text.size()) {
    if (text[from] == '#' || text[from] == ';')
      from = std::min(text.find('\n', from), text.size());
    else if (is_any_of(text[from], blanks) || text[from] == ','
             || text[from] == '=')
      ++from;
    else
      break;
  }
  return from;
}

std::size_t end_of_character(std::string_view text, std::size_t from) {
  const auto first = byte_at(text, from);
  if (first < 0x80)
    return from + 1;
  const auto size = first >= 0xc2 && first < 0xe0   ? 2u
                    : first >= 0xe0 && first < 0xf0 ? 3u
                    : first >= 0xf0 && first < 0xf5 ? 4u
                                                    : 0u;
  if (size == 0 || from + size > text.size())
    return from;
  // Overlong forms, surrogates, and what is above the last code point.
  const auto second = byte_at(text, from + 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0)
      || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90))
    return from;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte_at(text, from + i) & 0xc0) != 0x80)
      return from;
  return from + size;
}

} // namespace coppice

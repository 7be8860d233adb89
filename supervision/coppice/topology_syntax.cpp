// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_syntax.hpp"

#include "coppice/caf_config_compat.hpp"
#include "coppice/policy/spec_section.hpp"
#include "coppice/topology_lexer.hpp"
#include "coppice/topology_limits.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace coppice {

namespace {

/// Defects quote what has been said to be no UTF-8.
std::string only_utf8(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto end = end_of_character(bytes, i);
    out += end == i ? "?" : bytes.substr(i, end - i);
    i = std::max(end, i + 1);
  }
  return out;
}

/// Builds the tree from what CAF's parser says. The parser tells no places: a
/// thing begins at the first character after the thing before.
class tree_builder {
public:
  tree_builder(std::string_view text, const text_positions& lines,
               const compat::config_state& at, const lexed_text& lexed,
               syntax_tree& tree)
    : text_(text),
      lines_(lines),
      begin_(at.i),
      at_(at),
      lexed_(lexed),
      tree_(tree) {
    open_.push_back({&tree.root, {}, 0});
  }

  // -- what the parser calls -------------------------------------------------

  void key(std::string name) {
    auto& top = open_.back();
    top.key_offset = next_thing(text_, done_);
    top.key = std::move(name);
    done_ = offset();
  }

  tree_builder& begin_map() { return begin(syntax_kind::map); }
  tree_builder& begin_list() { return begin(syntax_kind::list); }

  void end_map() {
    refuse_second_keys(*open_.back().node);
    if (open_.size() > 1)
      end();
  }

  void end_list() { end(); }

  template <class T>
  void value(T&& x) {
    auto node = make(syntax_kind::word, next_thing(text_, done_));
    done_ = offset();
    if constexpr (std::is_same_v<std::decay_t<T>, std::string>) {
      node.kind = syntax_kind::text;
      node.text = std::forward<T>(x);
    } else {
      node.text = only_utf8(text_.substr(node.offset, done_ - node.offset));
    }
    add(std::move(node));
  }

  // -- what is asked when it gave up -----------------------------------------

  /// Of what was being read.
  [[nodiscard]] std::string path() const {
    std::string x;
    for (const auto& part : open_) {
      const auto n = part.node->parts.size();
      if (part.node->kind == syntax_kind::list)
        x += '[' + std::to_string(&part == &open_.back() ? n : n - 1) + ']';
      else if (!part.key.empty())
        x += (x.empty() ? "" : ".") + policy::printable(part.key);
    }
    return x;
  }

private:
  struct open_part {
    syntax_node* node;
    std::string key;
    std::size_t key_offset;
  };

  [[nodiscard]] std::size_t offset() const {
    return static_cast<std::size_t>(at_.i - begin_);
  }

  static syntax_node make(syntax_kind kind, std::size_t offset) {
    syntax_node node;
    node.kind = kind;
    node.offset = offset;
    return node;
  }

  syntax_node& add(syntax_node node) {
    auto& top = open_.back();
    top.node->parts.push_back(
      {std::exchange(top.key, {}), top.key_offset, std::move(node)});
    return top.node->parts.back().value;
  }

  tree_builder& begin(syntax_kind kind) {
    const auto from = next_thing(text_, done_);
    done_ = offset();
    const auto key = open_.back().key; // for `path`
    auto& node = add(make(kind, from));
    open_.back().key = key;
    open_.push_back({&node, {}, 0});
    return *this;
  }

  void end() {
    open_.pop_back();
    open_.back().key.clear();
    done_ = offset() + 1; // the parser is still on the bracket
  }

  /// CAF would take the last of two.
  void refuse_second_keys(syntax_node& map) {
    auto& parts = map.parts;
    if (parts.size() < 2)
      return;
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return parts[a].key < parts[b].key;
    });
    std::vector<bool> is_second(parts.size());
    for (std::size_t i = 1; i < order.size(); ++i)
      if (parts[order[i - 1]].key == parts[order[i]].key) {
        is_second[order[i]] = true;
        refuse_second(parts[order[i]], map);
      }
    std::size_t n = 0;
    std::erase_if(parts, [&](const auto&) { return is_second[n++]; });
  }

  void refuse_second(const syntax_entry& x, const syntax_node& map) {
    if (lexed_.bad_keys.contains(x.key_offset)
        || tree_.defects.size() >= topology_limits::defects_max)
      return;
    const auto first
      = std::find_if(map.parts.begin(), map.parts.end(),
                     [&x](const auto& y) { return y.key == x.key; });
    auto where = path();
    where += (where.empty() ? "" : ".") + policy::printable(x.key);
    tree_.defects.push_back(
      {.path = std::move(where),
       .value = "a second `" + policy::printable(x.key) + '`',
       .expected = "one; the first is in line "
                   + std::to_string(lines_.line_of(first->key_offset))});
    tree_.offsets.push_back(x.key_offset);
  }

  std::string_view text_;
  const text_positions& lines_;
  const char* begin_;
  const compat::config_state& at_;
  const lexed_text& lexed_;
  syntax_tree& tree_;
  /// All before this has been told.
  std::size_t done_ = 0;
  std::vector<open_part> open_;
};

std::string what_is_at(std::string_view text, std::size_t offset) {
  if (offset >= text.size())
    return "the end of the file";
  if (text[offset] == '\n' || text[offset] == '\r')
    return "the end of the line";
  if (text[offset] == '"')
    return "a text";
  const auto end = std::max(text.find_first_of(" \t\r\n{}[]=,\"#;", offset),
                            offset + 1);
  return policy::printable(only_utf8(text.substr(offset, end - offset)));
}

std::string how_to_close(std::string_view text, const syntax_position& at,
                         const text_positions& lines) {
  if (at.open.empty())
    return "a new section on a line of its own";
  const auto open = at.open.back();
  return std::string{text[open] == '[' ? "]" : "}"} + ", which closes the "
         + text[open] + " of line " + std::to_string(lines.line_of(open));
}

/// What could stand there instead.
std::string expected_at(std::string_view text, std::size_t offset,
                        const text_positions& lines) {
  const auto at = syntax_before(text, offset);
  const auto in_list = !at.open.empty() && text[at.open.back()] == '[';
  const auto close = how_to_close(text, at, lines);
  switch (at.last) {
    case syntax_token::assign:
      return "a value on the same line";
    case syntax_token::key:
      return "= and a value after the key, or { and a section, on the same "
             "line";
    case syntax_token::open_list:
      return "a value, or " + close;
    case syntax_token::comma:
      return in_list ? "a value, or " + close : "a key, or " + close;
    case syntax_token::open_map:
      return "a key, or " + close;
    default:
      break;
  }
  if (at.open.empty())
    return close;
  return (in_list ? "a comma, or " : "a comma, a new line, or ") + close;
}

/// Was something said about the same line, in front of `offset`? Then that it
/// cannot be parsed either is no news.
bool follows_defect(std::string_view text, const lexed_text& lexed,
                    std::size_t offset) {
  return std::any_of(lexed.defects.begin(), lexed.defects.end(),
                     [text, offset](const lexical_defect& x) {
                       return x.offset <= offset
                              && text.substr(0, offset).find('\n', x.offset)
                                   == text.npos;
                     });
}

void take_lexical_defects(lexed_text& lexed, syntax_tree& tree) {
  for (auto& x : lexed.defects) {
    tree.defects.push_back(
      {.value = std::move(x.value), .expected = std::move(x.expected)});
    tree.offsets.push_back(x.offset);
  }
}

/// Bad keys have been complained about: what they say is not looked at.
void drop(const std::unordered_set<std::size_t>& bad_keys, syntax_node& x) {
  std::erase_if(x.parts, [&bad_keys, &x](const syntax_entry& part) {
    return x.kind == syntax_kind::map && bad_keys.contains(part.key_offset);
  });
  for (auto& part : x.parts)
    drop(bad_keys, part.value);
}

} // namespace

const syntax_node* syntax_node::find(std::string_view key) const noexcept {
  const auto at = std::find_if(parts.begin(), parts.end(),
                               [key](const auto& x) { return x.key == key; });
  return at == parts.end() ? nullptr : &at->value;
}

std::string in_file(const syntax_node& x) {
  switch (x.kind) {
    case syntax_kind::text:
      return policy::quoted(x.text);
    case syntax_kind::word:
      return policy::printable(x.text);
    case syntax_kind::list:
      return "a list";
    default:
      return "a section";
  }
}

syntax_tree parse_syntax(std::string_view text) {
  syntax_tree tree;
  auto lexed = lex_topology(text);
  take_lexical_defects(lexed, tree);
  if (lexed.is_hopeless)
    return tree;
  const auto* begin = lexed.covered.data();
  compat::config_state at{begin, begin + lexed.covered.size()};
  const text_positions lines{text};
  tree_builder builder{text, lines, at, lexed, tree};
  tree.is_complete = compat::read_config(at, builder);
  if (!tree.is_complete) {
    const auto offset = std::min(static_cast<std::size_t>(at.i - begin),
                                 text.size());
    if (follows_defect(text, lexed, offset))
      return tree;
    tree.defects.push_back({.path = builder.path(),
                            .value = what_is_at(text, offset),
                            .expected = expected_at(text, offset, lines)});
    tree.offsets.push_back(offset);
    return tree;
  }
  builder.end_map(); // of the file; again, on some versions
  if (!lexed.bad_keys.empty())
    drop(lexed.bad_keys, tree.root);
  return tree;
}

// -- positions ---------------------------------------------------------------

text_positions::text_positions(std::string_view text) : text_(text) {
  lines_.push_back(0);
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
    lines_.push_back(at + 1);
}

int text_positions::line_of(std::size_t offset) const {
  const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
  return static_cast<int>(after - lines_.begin());
}

void text_positions::locate(topology_defect& x, std::size_t offset) const {
  x.line = line_of(offset);
  const auto begin = lines_[static_cast<std::size_t>(x.line - 1)];
  const auto before = text_.substr(begin, offset - begin);
  x.column = 1
             + static_cast<int>(
               std::count_if(before.begin(), before.end(), [](char c) {
                 return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
               }));
}

} // namespace coppice

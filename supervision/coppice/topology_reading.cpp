// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_reading.hpp"

#include "coppice/policy/spec_section.hpp"
#include "coppice/topology_limits.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

namespace coppice {

std::string to_string(const path_link& x) {
  auto text = x.up != nullptr ? to_string(*x.up) : std::string{};
  if (!text.empty() && !x.name.empty())
    text += '.';
  text += policy::printable(x.name);
  if (x.index >= 0)
    text += '[' + std::to_string(x.index) + ']';
  if (!x.id.empty())
    text += '(' + policy::printable(x.id) + ')';
  return text;
}

std::string tree_path(const path_link& x) {
  auto text = x.up != nullptr ? tree_path(*x.up) : '/' + std::string{x.name};
  if (!x.id.empty())
    text += '/' + std::string{x.id};
  return text;
}

// -- defect_list -------------------------------------------------------------

defect_list::defect_list(std::string_view text, std::string file)
  : lines_(text), file_(std::move(file)) {}

void defect_list::add(topology_defect x, std::size_t offset) {
  if (found_.size() >= topology_limits::defects_max) {
    ++left_out_;
    return;
  }
  x.file = file_;
  lines_.locate(x, offset);
  if (!x.path.empty())
    paths_.insert(x.path);
  found_.push_back(std::move(x));
}

void defect_list::add(const path_link& path, std::size_t offset,
                      std::string value, std::string expected,
                      std::string nearest) {
  add({.path = to_string(path),
       .value = std::move(value),
       .expected = std::move(expected),
       .nearest = std::move(nearest)},
      offset);
}

void defect_list::add_unread(const path_link& path, std::size_t offset,
                             std::string value, std::string expected,
                             std::string nearest) {
  unread_.insert(to_string(path));
  add(path, offset, std::move(value), std::move(expected), std::move(nearest));
}

bool defect_list::explain(const std::string& path) const {
  if (paths_.contains(path))
    return true;
  if (unread_.empty())
    return false;
  for (auto end = path.size(); end != path.npos && end > 0;
       end = path.rfind('.', end - 1))
    if (unread_.contains(path.substr(0, end)))
      return true;
  return false;
}

bool defect_list::excuse(const path_link& section, std::string_view name) {
  const auto has_meant = [&](const topology_defect& x) {
    const auto end = x.path.rfind('.');
    return x.nearest == name && end != x.path.npos
           && x.path.substr(0, end) == to_string(section);
  };
  if (std::none_of(found_.begin(), found_.end(), has_meant))
    return false;
  paths_.insert(to_string(path_link{&section, name}));
  return true;
}

topology_defects defect_list::take() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const auto& a, const auto& b) {
                     return std::tie(a.line, a.column)
                            < std::tie(b.line, b.column);
                   });
  if (left_out_ > 0)
    found_.push_back({.file = file_,
                      .value = std::to_string(left_out_) + " more defects",
                      .expected = "none; they are not listed"});
  return std::move(found_);
}

// -- from paths to places ----------------------------------------------------

namespace {

/// Takes "children" off the front of ".children[2](feed).restart".
std::string_view take_name(std::string_view& path) {
  if (path.starts_with('.'))
    path.remove_prefix(1);
  const auto name = path.substr(0, path.find_first_of(".[("));
  path.remove_prefix(name.size());
  return name;
}

/// Takes "[2]" off the front, if there is such.
const syntax_entry* take_index(std::string_view& path,
                               const syntax_node& list) {
  if (!path.starts_with('['))
    return nullptr;
  std::size_t index = 0;
  const auto end = path.data() + path.size();
  const auto [digits_end, ec] = std::from_chars(path.data() + 1, end, index);
  if (ec != std::errc{} || index >= list.parts.size()
      || list.kind != syntax_kind::list)
    return nullptr;
  path.remove_prefix(static_cast<std::size_t>(digits_end - path.data()) + 1);
  return &list.parts[index];
}

/// Takes "(feed)" off the front. Ids may have brackets and dots in them.
void take_id(std::string_view& path, const syntax_node& child) {
  if (!path.starts_with('('))
    return;
  const auto* id = child.find("id");
  const auto text = '(' + (id ? policy::printable(id->text) : "") + ')';
  if (path.starts_with(text))
    path.remove_prefix(text.size());
}

} // namespace

std::size_t offset_of(std::string_view path, const syntax_node& root) {
  const auto* node = &root;
  auto offset = root.offset;
  while (!path.empty()) {
    const auto name = take_name(path);
    const auto at
      = std::find_if(node->parts.begin(), node->parts.end(),
                     [name](const auto& x) { return x.key == name; });
    if (name.empty() || at == node->parts.end())
      break;
    node = &at->value;
    // The value, unless it is a whole section.
    offset = node->kind == syntax_kind::map || node->kind == syntax_kind::list
               ? at->key_offset
               : node->offset;
    if (const auto* element = take_index(path, *node)) {
      node = &element->value;
      offset = node->offset;
      take_id(path, *node);
    }
  }
  return offset;
}

} // namespace coppice

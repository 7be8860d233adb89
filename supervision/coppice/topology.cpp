// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology.hpp"

#include "coppice/nearest_name.hpp"
#include "coppice/supervise_validation.hpp"
#include "coppice/topology_fields.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace coppice {

namespace {

constexpr const char* how_to_begin
  = "one section whose key is the name of the root supervisor, such as "
    "app { children = [ ... ] }";

topology_defect of_file(std::string_view file, std::string value,
                        std::string expected) {
  return {.file = std::string{file},
          .value = std::move(value),
          .expected = std::move(expected)};
}

topology_defect too_large(std::string_view file, const std::string& size) {
  return of_file(file, size + " bytes",
                 "at most " + std::to_string(topology_limits::file_bytes_max));
}

/// Reads what a file says, once its syntax is known to be sound.
class topology_parser {
public:
  topology_parser(const syntax_node& root, const worker_kinds& kinds,
                  defect_list& defects)
    : root_(root),
      defects_(defects),
      reading_{kinds, defects, out_.descriptions} {}

  topology run() {
    const auto* root = find_root();
    for (const auto& entry : root_.parts)
      if (entry.key == "options")
        read_options(entry);
      else if (&entry == root)
        read_root(entry, out_.root, reading_);
      else
        refuse_entry(entry, root);
    if (root != nullptr && !defects_.is_full())
      validate();
    return std::move(out_);
  }

private:
  /// How likely it is that this is meant to be the root.
  static int likeness(const syntax_entry& x) {
    const auto is_section = x.value.kind == syntax_kind::map;
    const auto is_options = !nearest_name(x.key, {"options"}).empty();
    return (is_section ? 2 : 0) + (is_options ? 0 : 1);
  }

  /// Null if there is nothing that could be it.
  const syntax_entry* find_root() {
    const syntax_entry* found = nullptr;
    for (const auto& entry : root_.parts)
      if (entry.key != "options"
          && (found == nullptr || likeness(entry) > likeness(*found)))
        found = &entry;
    if (found != nullptr && found->value.kind == syntax_kind::map)
      return found;
    if (found == nullptr)
      defects_.add({.value = "nothing", .expected = how_to_begin}, 0);
    return nullptr;
  }

  void refuse_entry(const syntax_entry& x, const syntax_entry* root) {
    auto value = in_file(x.value);
    if (root != nullptr)
      value += " beside `" + policy::printable(root->key) + '`';
    defects_.add({.name = x.key}, x.key_offset, std::move(value),
                 root ? "`options`, or nothing but one root supervisor"
                      : how_to_begin,
                 nearest_name(x.key, {"options"}));
  }

  void read_options(const syntax_entry& x) {
    const path_link at{.name = x.key};
    if (x.value.kind == syntax_kind::map)
      read_section(x.value, at, out_.options, reading_);
    else
      defects_.add(at, x.value.offset, in_file(x.value), type_names::section);
  }

  void validate() {
    for (auto& x : validate_tree(out_.root, out_.options))
      if (!defects_.explain(x.field)) {
        const auto offset = offset_of(x.field, root_);
        defects_.add({.path = std::move(x.field),
                      .value = std::move(x.value),
                      .expected = std::move(x.expected)},
                     offset);
      }
  }

  const syntax_node& root_;
  defect_list& defects_;
  topology out_;
  topology_reading reading_;
};

struct close_file {
  void operator()(std::FILE* x) const noexcept { std::fclose(x); }
};

topology_defects cannot_be_read(const std::string& file) {
  return {of_file(file, std::strerror(errno), "a file that can be read")};
}

} // namespace

topology_result parse_topology(std::string_view text,
                               std::string_view file_name,
                               const worker_kinds& kinds) {
  if (text.size() > topology_limits::file_bytes_max)
    return topology_defects{too_large(file_name, std::to_string(text.size()))};
  auto tree = parse_syntax(text);
  defect_list defects{text, std::string{file_name}};
  for (std::size_t i = 0; i < tree.defects.size(); ++i)
    defects.add(std::move(tree.defects[i]), tree.offsets[i]);
  topology out;
  if (tree.is_complete)
    out = topology_parser{tree.root, kinds, defects}.run();
  if (!defects.is_empty())
    return defects.take();
  return out;
}

topology_result load_topology(const std::string& file,
                              const worker_kinds& kinds) {
  const std::unique_ptr<std::FILE, close_file> in{
    std::fopen(file.c_str(), "rb")};
  if (in == nullptr)
    return cannot_be_read(file);
  std::string text;
  char buffer[64 * 1024];
  // One byte more, and it is too large: it may be a device without an end.
  while (text.size() <= topology_limits::file_bytes_max) {
    const auto n = std::fread(buffer, 1, sizeof buffer, in.get());
    if (n == 0)
      break;
    text.append(buffer, n);
  }
  if (std::ferror(in.get()) != 0)
    return cannot_be_read(file); // a folder, for one
  if (text.size() > topology_limits::file_bytes_max)
    return topology_defects{too_large(
      file, "more than " + std::to_string(topology_limits::file_bytes_max))};
  return parse_topology(text, file, kinds);
}

} // namespace coppice

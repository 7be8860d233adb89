// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The sections of topology files: one table for each, with all of its fields.
///
/// Layer: L2.
/// Threads: tables are constants; the rest belongs to one thread.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/nearest_name.hpp"
#include "coppice/policy/spec_section.hpp"
#include "coppice/supervise.hpp"
#include "coppice/topology_values.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

/// A field of a `Section`, which is a spec or a part of one.
template <class Section>
struct field {
  field_doc doc;
  void (*read)(const field_value&, Section&);
};

template <class Section>
struct section_table {
  /// "backoff".
  std::string name;
  /// Where it stands, and what it is for.
  std::string meaning;
  std::vector<field<Section>> fields;
};

/// A section as the reference page shows it.
struct section_doc {
  std::string name;
  std::string meaning;
  std::vector<field_doc> fields;
};

/// There is one for each of the types below, and for none else.
template <class Section>
const section_table<Section>& table_of();

template <>
const section_table<supervise_options>& table_of();
template <>
const section_table<supervisor_spec>& table_of();
template <>
const section_table<child_spec>& table_of();
template <>
const section_table<restart_limits>& table_of();
template <>
const section_table<cause_weights>& table_of();
template <>
const section_table<backoff_spec>& table_of();
template <>
const section_table<heartbeat_spec>& table_of();
template <>
const section_table<phi_spec>& table_of();
template <>
const section_table<parking_spec>& table_of();
template <>
const section_table<failure_rule>& table_of();

/// In the order in which people meet them.
[[nodiscard]] std::vector<section_doc> all_sections();

/// Takes down a key that a section does not have.
void refuse_key(const syntax_entry& entry, const path_link& section,
                const std::string& what, const std::vector<std::string>& known,
                topology_reading& reading);

template <class Section>
std::vector<std::string> names_of_fields() {
  std::vector<std::string> names;
  for (const auto& x : table_of<Section>().fields)
    names.push_back(x.doc.name);
  return names;
}

/// Reads what the file says about `out`; the rest of that stays as it is.
/// @pre `node` is a map.
template <class Section>
void read_section(const syntax_node& node, const path_link& path, Section& out,
                  topology_reading& reading) {
  const auto& table = table_of<Section>();
  for (const auto& entry : node.parts) {
    const auto at = std::find_if(table.fields.begin(), table.fields.end(),
                                 [&entry](const auto& x) {
                                   return x.doc.name == entry.key;
                                 });
    if (at == table.fields.end())
      refuse_key(entry, path, table.name, names_of_fields<Section>(), reading);
    else
      at->read({entry.value, {&path, entry.key}, at->doc, reading}, out);
  }
}

/// The supervisor of a file: `path` is its name.
void read_root(const syntax_entry& entry, supervisor_spec& out,
               topology_reading& reading);

/// The arguments that the factory of a kind declares, called with none given.
[[nodiscard]] std::vector<argument_line> describe(const kind_factory& make);

/// Has the kind of a child make it, with what `node`, the child, says.
void make_by_kind(const syntax_node& node, const path_link& path,
                  child_spec& out, topology_reading& reading);

} // namespace coppice

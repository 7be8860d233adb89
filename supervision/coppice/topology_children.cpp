// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_members.hpp"

namespace coppice {

namespace {

/// Calls `read(node, path)` for each section of a list; `skip()` for what is
/// there instead, so that the others keep their number.
template <class F, class G>
void for_each_section(const field_value& x, F read, G skip) {
  if (x.node.kind != syntax_kind::list)
    return x.refuse();
  auto at = x.path;
  for (const auto& part : x.node.parts) {
    ++at.index;
    if (part.value.kind == syntax_kind::map)
      read(part.value, at);
    else {
      x.reading.defects.add_unread(at, part.value.offset, in_file(part.value),
                                   type_names::section);
      skip();
    }
  }
}

void require(const char* name, const char* expected, const syntax_node& node,
             const path_link& at, topology_reading& reading) {
  if (node.find(name) == nullptr && !reading.defects.excuse(at, name))
    reading.defects.add({&at, name}, node.offset, "nothing", expected);
}

void check_making(const syntax_node& node, const path_link& at,
                  topology_reading& reading) {
  const auto* kind = node.find("kind");
  const auto* supervisor = node.find("supervisor");
  const auto* arguments = node.find("arguments");
  if (kind == nullptr && supervisor == nullptr
      && !reading.defects.excuse(at, "kind")
      && !reading.defects.excuse(at, "supervisor"))
    reading.defects.add({&at, "kind"}, node.offset, "nothing",
                        "a kind of worker, or else a section `supervisor`");
  if (kind != nullptr && supervisor != nullptr)
    reading.defects.add({&at, "supervisor"}, supervisor->offset,
                        "a supervisor beside a kind",
                        "one of `kind` and `supervisor`");
  if (kind == nullptr && arguments != nullptr)
    reading.defects.add({&at, "arguments"}, arguments->offset,
                        "arguments without a kind", "`arguments` of a `kind`");
}

void read_child(const syntax_node& node, const path_link& at, child_spec& out,
                topology_reading& reading) {
  make_by_kind(node, at, out, reading);
  read_section(node, at, out, reading);
  require("id", "a text in double quotes; unlike those of its siblings", node,
          at, reading);
  check_making(node, at, reading);
  if (!out.start && !out.supervisor) // which has been said by now
    out.start = [](start_context&) {};
}

} // namespace

void assign(const field_value& x, nested_supervisor& out) {
  if (x.node.kind != syntax_kind::map)
    return x.refuse();
  supervisor_spec spec;
  read_section(x.node, x.path, spec, x.reading);
  out = std::move(spec);
}

void assign(const field_value& x, std::vector<failure_rule>& out) {
  out.clear();
  const auto read = [&](const syntax_node& node, const path_link& at) {
    read_section(node, at, out.emplace_back(), x.reading);
    require("failure_class", "the class of a failure, in double quotes", node,
            at, x.reading);
    require("action", "what to do about such a failure", node, at, x.reading);
  };
  for_each_section(x, read, [&out] { out.emplace_back(); });
}

void assign(const field_value& x, std::vector<child_spec>& out) {
  out.clear();
  const auto read = [&](const syntax_node& node, path_link at) {
    const auto* id = node.find("id");
    if (id != nullptr && id->kind == syntax_kind::text)
      at.id = id->text;
    auto& child = out.emplace_back();
    child.id = at.id;
    read_child(node, at, child, x.reading);
  };
  for_each_section(x, read, [&out] { out.emplace_back(); });
}

void read_root(const syntax_entry& entry, supervisor_spec& out,
               topology_reading& reading) {
  out.name = entry.key;
  read_section(entry.value, {.name = entry.key}, out, reading);
}

void refuse_key(const syntax_entry& entry, const path_link& section,
                const std::string& what, const std::vector<std::string>& known,
                topology_reading& reading) {
  std::string expected = known.empty()
                           ? "no `" + what + "`, as this kind takes none"
                           : "a field of `" + what + "`:";
  for (const auto& name : known)
    expected += (&name == &known.front() ? " " : ", ") + name;
  reading.defects.add({&section, entry.key}, entry.key_offset,
                      "the unknown key `" + policy::printable(entry.key) + '`',
                      std::move(expected), nearest_name(entry.key, known));
}

} // namespace coppice

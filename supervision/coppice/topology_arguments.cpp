// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/stable_hash.hpp"
#include "coppice/topology_members.hpp"

#include <exception>
#include <optional>
#include <random>

namespace coppice {

/// What one child gives to its kind; or a kind that is asked what it takes.
struct argument_state {
  /// The section `arguments`; null: nothing is given.
  const syntax_node* given = nullptr;
  /// Of the child, and of its `arguments`.
  path_link child = {};
  path_link path = {};
  std::size_t child_offset = 0;
  /// Null while describing.
  topology_reading* reading = nullptr;
  std::vector<argument_line> declared = {};
  /// "every = 100ms, size = 3".
  std::string description = {};
  bool failed = false;
};

namespace {

// -- values as they could be written -----------------------------------------

std::string shown(const std::string& x) {
  std::string text = "\""; // whole: equal texts mean equal workers
  for (const auto c : x)
    text += c == '"' || c == '\\' ? std::string{'\\', c}
            : c == '\n'           ? "\\n"
            : c == '\r'           ? "\\r"
            : c == '\t'           ? "\\t"
                                  : std::string{c};
  return text + '"';
}

template <class T>
  requires(!std::is_class_v<T> || std::is_same_v<T, time_limit>)
std::string shown(const T& x) {
  return value_text(x);
}

std::string shown(const std::vector<std::string>& xs) {
  std::string text = "[";
  for (const auto& x : xs)
    text += (text.size() > 1 ? ", " : "") + shown(x);
  return text + ']';
}

std::string shown(const std::map<std::string, std::string>& xs) {
  std::string text = "{";
  for (const auto& [key, x] : xs)
    text += (text.size() > 1 ? ", " : " ") + key + " = " + shown(x);
  return text + (text.size() > 1 ? " }" : "}");
}

// -- one argument ------------------------------------------------------------

void check_range(const field_value&, const auto&, const std::nullopt_t&) {}

void check_range(const field_value& x, const time_limit& value,
                 const policy::time_range& range) {
  if (!range.contains(value))
    x.refuse();
}

template <class T, class Range>
  requires requires(Range r) {
    r.min <= r.max;
  }
void check_range(const field_value& x, const T& value, const Range& range) {
  if (!(value >= range.min && value <= range.max))
    x.refuse();
}

std::string range_text(const policy::time_range& x) {
  return x.expected;
}

std::string range_text(const count_range& x) {
  const count_range all;
  if (x.max != all.max)
    return std::to_string(x.min) + " to " + std::to_string(x.max);
  return x.min == 0 ? "" : "at least " + std::to_string(x.min);
}

std::string range_text(const number_range& x) {
  const number_range all;
  const auto min = policy::text(x.min);
  const auto max = policy::text(x.max);
  if (x.min != all.min && x.max != all.max)
    return min + " to " + max;
  return x.min != all.min   ? "at least " + min
         : x.max != all.max ? "at most " + max
                            : "";
}

void assign(const field_value& x, std::vector<std::string>& out) {
  if (x.node.kind != syntax_kind::list)
    return x.refuse();
  out.clear();
  for (const auto& part : x.node.parts) {
    auto at = x.path;
    at.index = static_cast<std::ptrdiff_t>(out.size());
    auto doc = x.doc;
    doc.type = type_names::text;
    coppice::assign({part.value, at, doc, x.reading}, out.emplace_back());
  }
}

void assign(const field_value& x, std::map<std::string, std::string>& out) {
  if (x.node.kind != syntax_kind::map)
    return x.refuse();
  out.clear();
  auto doc = x.doc;
  doc.type = type_names::text;
  for (const auto& part : x.node.parts)
    coppice::assign({part.value, {&x.path, part.key}, doc, x.reading},
                    out[part.key]);
}

field_doc to_field(std::string_view name, const argument_doc& doc,
                   std::string type, std::string range) {
  return {.name = std::string{name},
          .type = std::move(type),
          .range = doc.expected.empty() ? std::move(range) : doc.expected,
          .meaning = doc.meaning,
          .sensitive = doc.sensitive};
}

template <class T>
void declare(argument_state& state, const field_doc& doc,
             const std::optional<T>& fallback) {
  state.declared.push_back(
    {doc.name, doc.type,
     fallback ? std::optional{shown(*fallback)} : std::nullopt, doc.range,
     doc.meaning});
}

template <class T>
void add_to_description(argument_state& state, const field_doc& doc,
                        const T& value) {
  auto text = shown(value);
  // Compared within this process alone, and of no use outside of it.
  static const auto salt = std::random_device{}();
  if (doc.sensitive)
    text = "secret "
           + std::to_string(policy::stable_hash(std::to_string(salt) + text)
                            ^ salt);
  state.description += (state.description.empty() ? "" : ", ") + doc.name
                       + " = " + text;
}

/// Reads what is given into `out`; says whether anything is.
template <class T, class Range>
bool read_given(argument_state& state, const field_doc& doc, T& out,
                const Range& range) {
  const auto* node = state.given ? state.given->find(doc.name) : nullptr;
  if (node == nullptr)
    return false;
  const path_link at{&state.path, doc.name};
  const field_value value{*node, at, doc, *state.reading};
  const auto before = state.reading->defects.size();
  assign(value, out);
  if (state.reading->defects.size() == before)
    check_range(value, out, range);
  state.failed = state.failed || state.reading->defects.size() != before;
  return true;
}

template <class T, class Range>
T read(argument_state& state, const field_doc& doc, std::optional<T> fallback,
       const Range& range) {
  declare(state, doc, fallback);
  T out = fallback ? *fallback : T{};
  if (state.reading == nullptr)
    return out;
  if (!read_given(state, doc, out, range) && !fallback) {
    state.failed = true;
    state.reading->defects.add(
      {&state.path, doc.name},
      state.given ? state.given->offset : state.child_offset, "nothing",
      doc.type + (doc.range.empty() ? "" : "; " + doc.range));
  }
  add_to_description(state, doc, out);
  return out;
}

void refuse_undeclared(argument_state& state) {
  if (state.given == nullptr)
    return;
  const auto is_declared = [&state](const syntax_entry& entry) {
    return std::any_of(state.declared.begin(), state.declared.end(),
                       [&entry](const auto& x) { return x.name == entry.key; });
  };
  for (const auto& entry : state.given->parts)
    if (!is_declared(entry)) {
      std::vector<std::string> names;
      for (const auto& x : state.declared)
        names.push_back(x.name);
      state.failed = true;
      refuse_key(entry, state.path, "arguments", names, *state.reading);
    }
}

} // namespace

// -- argument_reader ---------------------------------------------------------

std::string argument_reader::text(std::string_view name, argument_doc doc,
                                  std::optional<std::string> fallback) {
  return read(*state_, to_field(name, doc, type_names::text, {}),
              std::move(fallback), std::nullopt);
}

time_limit argument_reader::time(std::string_view name, argument_doc doc,
                                 std::optional<time_limit> fallback,
                                 const policy::time_range& range) {
  std::string type = type_names::time;
  if (range.infinite)
    type += ", or \"infinity\"";
  return read(*state_, to_field(name, doc, type, range_text(range)), fallback,
              range);
}

std::uint64_t argument_reader::count(std::string_view name, argument_doc doc,
                                     std::optional<std::uint64_t> fallback,
                                     count_range range) {
  return read(*state_,
              to_field(name, doc, type_names::count, range_text(range)),
              fallback, range);
}

double argument_reader::number(std::string_view name, argument_doc doc,
                               std::optional<double> fallback,
                               number_range range) {
  return read(*state_,
              to_field(name, doc, type_names::number, range_text(range)),
              fallback, range);
}

bool argument_reader::flag(std::string_view name, argument_doc doc,
                           std::optional<bool> fallback) {
  return read(*state_, to_field(name, doc, type_names::flag, {}), fallback,
              std::nullopt);
}

std::string argument_reader::choice(std::string_view name, argument_doc doc,
                                    const std::vector<std::string>& names,
                                    std::optional<std::string> fallback) {
  const auto field = to_field(name, doc, any_of(names), {});
  declare(*state_, field, fallback);
  auto out = fallback.value_or(names.empty() ? "" : names.front());
  if (state_->reading == nullptr)
    return out;
  const auto* node = state_->given ? state_->given->find(name) : nullptr;
  const path_link at{&state_->path, field.name};
  if (node != nullptr) {
    if (const auto i = assign_name({*node, at, field, *state_->reading}, names))
      out = names[*i];
    else
      state_->failed = true;
  } else if (!fallback) {
    state_->failed = true;
    state_->reading->defects.add(at,
                                 state_->given ? state_->given->offset
                                               : state_->child_offset,
                                 "nothing", field.type);
  }
  add_to_description(*state_, field, out);
  return out;
}

std::vector<std::string>
argument_reader::texts(std::string_view name, argument_doc doc,
                       std::optional<std::vector<std::string>> fallback) {
  return read(*state_, to_field(name, doc, "a list of texts in [ ]", {}),
              std::move(fallback), std::nullopt);
}

std::map<std::string, std::string> argument_reader::table(
  std::string_view name, argument_doc doc,
  std::optional<std::map<std::string, std::string>> fallback) {
  return read(*state_, to_field(name, doc, "a section of texts in { }", {}),
              std::move(fallback), std::nullopt);
}

void argument_reader::refuse(std::string_view name, std::string value,
                             std::string expected) {
  state_->failed = true;
  if (state_->reading == nullptr)
    return;
  const auto* node = state_->given ? state_->given->find(name) : nullptr;
  state_->reading->defects.add({&state_->path, name},
                               node != nullptr ? node->offset
                                               : state_->child_offset,
                               std::move(value), std::move(expected));
}

bool argument_reader::has_failed() const noexcept {
  return state_->failed;
}

// -- kinds at work -----------------------------------------------------------

std::vector<argument_line> describe(const kind_factory& make) {
  argument_state state;
  argument_reader reader{state};
  child_spec child;
  try {
    make(reader, child);
  } catch (const std::exception&) {
    // Nothing was given: that is no wonder. What it declared is known.
  }
  return std::move(state.declared);
}

namespace {

void make(const worker_kinds::kind& kind, argument_state& state,
          const std::string& name, std::size_t offset, child_spec& out) {
  argument_reader reader{state};
  auto& defects = state.reading->defects;
  const path_link at{&state.child, "kind"};
  try {
    kind.make(reader, out);
  } catch (const std::exception& why) {
    state.failed = true;
    defects.add(at, offset,
                policy::quoted(name)
                  + ", which fails: " + policy::printable(why.what()),
                "arguments that this kind can work with");
  }
  refuse_undeclared(state);
  if (!out.start && !out.supervisor && !state.failed)
    defects.add(at, offset,
                policy::quoted(name) + ", which makes nothing that could start",
                "a kind that does; this is a mistake in the program");
}

} // namespace

void make_by_kind(const syntax_node& node, const path_link& path,
                  child_spec& out, topology_reading& reading) {
  const auto* name = node.find("kind");
  if (name == nullptr || name->kind != syntax_kind::text)
    return;
  const auto* kind = reading.kinds.find(name->text);
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const auto& [known, ignored] : reading.kinds.all())
      names.push_back(known);
    const auto near = nearest_name(name->text, names);
    reading.defects.add({&path, "kind"}, name->offset,
                        policy::quoted(name->text),
                        names.empty() ? "nothing: this program has no kinds"
                                      : "one of the kinds that this program "
                                        "has: "
                                          + any_of(names),
                        near.empty() ? "" : policy::quoted(near));
    return;
  }
  const auto* given = node.find("arguments");
  if (given != nullptr && given->kind != syntax_kind::map)
    return; // which is said elsewhere
  argument_state state{.given = given,
                       .child = path,
                       .child_offset = node.offset,
                       .reading = &reading};
  state.path = {&state.child, "arguments"};
  make(*kind, state, name->text, name->offset, out);
  out.id = path.id;
  reading.descriptions[tree_path(path)] = name->text + '(' + state.description
                                          + ')';
}

} // namespace coppice

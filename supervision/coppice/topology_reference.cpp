// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology.hpp"
#include "coppice/topology_fields.hpp"

namespace coppice {

namespace {

std::string code(const std::string& x) {
  return x.empty() ? "" : '`' + x + '`';
}

/// A cell of a table.
std::string cell(const std::string& x) {
  std::string out;
  for (const auto c : x)
    out += c == '|' ? "\\|" : c == '\n' ? " " : std::string{c};
  return out;
}

std::string row(const std::string& name, const std::string& type,
                const std::string& range, const std::string& fallback,
                const std::string& meaning) {
  return "| " + cell(code(name)) + " | " + cell(type)
         + (range.empty() ? "" : "; " + cell(range)) + " | " + cell(fallback)
         + " | " + cell(meaning) + " |\n";
}

constexpr auto table_head = "| Key | What it takes | Default | Meaning |\n"
                            "|---|---|---|---|\n";

std::string section_text(const section_doc& x) {
  auto text = "### `" + x.name + "`\n\n" + x.meaning + "\n\n" + table_head;
  for (const auto& field : x.fields)
    text += row(field.name, field.type, field.range, field.fallback,
                field.meaning);
  return text + '\n';
}

std::string kind_text(const worker_kinds& kinds, const std::string& name) {
  auto text = "### `\"" + name + "\"`\n\n" + kinds.find(name)->summary + "\n\n";
  const auto arguments = kinds.arguments_of(name);
  if (arguments.empty())
    return text + "It takes no arguments.\n\n";
  text += table_head;
  for (const auto& x : arguments)
    text += row(x.name, x.type, x.expected,
                x.fallback ? *x.fallback : "none: has to be given", x.meaning);
  return text + '\n';
}

constexpr auto introduction = R"(# Topology files: reference

<!-- Made by topology_reference() from the tables that reading a file uses. -->

A topology file says the same as specs in code, in the syntax of CAF's configuration files:

```
# A comment, up to the end of the line.
options { scan_interval = 50ms }
app {
  strategy = "rest_for_one"
  limits { restarts_max = 3, window = 5s }
  children = [
    { id = "feed", kind = "ticker", arguments { every = 100ms } },
    { id = "db", supervisor { children = [ { id = "conn", kind = "idler" } ] } },
  ]
}
```

## Syntax

- The file is UTF-8, of at most 16 MiB. Comments begin with `#`.
- A section is a key and `{ ... }`, with or without `=` between the two, which stand on the same line.
  A value follows its key and `=` on the same line. In a section, a comma or a new line separates
  one key from the next; in a list `[ ... ]`, commas separate, also after the last. At the top of
  the file, each key begins a new line.
- Keys have letters, digits, `_` and `-`, and begin with a letter or a digit. None is said twice.
- Texts and names are in double quotes: `"one_for_one"`. Within, `\n`, `\r`, `\t`, `\\` and `\"`.
- Durations are a whole number with a unit: `ns`, `us`, `ms`, `s`, `min` or `h`, such as `1500ms`.
- Whole numbers are decimal, without sign. Numbers may have a fraction and an exponent: `1.5e3`.
- `true` and `false`.

Nothing is taken for granted: an unknown key, a value of another type or out of its range, and an
id that is there twice are refused, all at once, with file, line, column, path, what was found, and
what was expected; nothing starts. Of a file with broken syntax, only that is said.

At the top there is one section for the root supervisor, whose key is its name and the first part of
all paths; it has the fields of `supervisor`. `options` may stand beside it.

## Sections

)";

} // namespace

std::string topology_reference(const worker_kinds& kinds) {
  std::string text = introduction;
  for (const auto& x : all_sections())
    text += section_text(x);
  text += "## Kinds\n\n";
  if (kinds.all().empty())
    text += "Kinds belong to the program that reads the file: "
            "`worker_kinds::register_worker`.\n\n";
  for (const auto& [name, ignored] : kinds.all())
    text += kind_text(kinds, name);
  text.pop_back();
  return text;
}

} // namespace coppice

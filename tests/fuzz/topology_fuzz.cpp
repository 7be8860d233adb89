// This file is part of coppice. License: see LICENSE in the source root.

// Any bytes at all as a topology file: read, or refused with defects that can
// be shown. For libFuzzer (COPPICE_FUZZ=ON, clang), or with replay_main.cpp as
// a program that any compiler builds.

#include "coppice/supervise_validation.hpp"
#include "coppice/topology.hpp"

#include "support/topology_kinds.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "topology_fuzz: does not hold: %s\n", what);
  std::abort();
}

bool is_one_line(std::string_view text) {
  for (const auto c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return false;
  return true;
}

std::size_t workers_of_a_kind(const coppice::supervisor_spec& spec) {
  std::size_t n = 0;
  for (const auto& child : spec.children)
    n += child.start ? 1 : workers_of_a_kind(*child.supervisor);
  return n;
}

void check(const coppice::topology& x) {
  require(validate_tree(x.root, x.options).empty(),
          "what is read is what supervise() takes");
  require(x.descriptions.size() <= workers_of_a_kind(x.root),
          "what is described is there");
}

void check(const coppice::topology_defects& defects, std::string_view text) {
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  require(!defects.empty(), "what is refused is refused for a reason");
  require(defects.size() <= coppice::topology_limits::defects_max + 1,
          "the defects are bounded");
  int last = 1;
  for (const auto& x : defects) {
    const auto is_of_file = &x == &defects.back() && x.line == 0;
    require(is_of_file || (x.line >= last && x.column >= 1),
            "defects have a place, in the order of the file");
    require(x.line <= lines, "and it is in the file");
    last = x.line;
    require(!x.value.empty(), "something was found");
    require(!x.expected.empty(), "something else was expected");
    require(is_one_line(to_string(x)), "each is on one line");
  }
}

} // namespace

// libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kinds = coppice::test::kinds();
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto x = coppice::parse_topology(text, "file", kinds))
    check(*x);
  else
    check(x.defects(), text);
  return 0;
}

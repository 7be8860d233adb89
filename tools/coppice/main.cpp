// This file is part of coppice. License: see LICENSE in the source root.

// coppice - runs, checks and steers trees of supervised workers.
//
// See docs/command_line.md, or `coppice --help`.

#include "commands.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv) {
  using namespace coppice::tool;
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* status = std::get_if<int>(&parsed))
      return *status;
    return std::visit([](const auto& x) { return execute(x); },
                      std::get<request>(parsed));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "coppice: %s\n", e.what());
    return EXIT_FAILURE;
  }
}

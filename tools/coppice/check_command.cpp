// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec_check.hpp"
#include "coppice/spec_check_json.hpp"
#include "coppice/topology.hpp"

#include "commands.hpp"
#include "exit_codes.hpp"
#include "kinds.hpp"
#include "nearest.hpp"
#include "topology_report.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

namespace coppice::tool {

namespace {

worker_kinds kinds_that_never_run() {
  return shipped_kinds(std::make_shared<kind_environment>());
}

int verdict(const policy::spec_check& x, bool strict) {
  using policy::finding_severity;
  const auto is_bad = x.count(finding_severity::error) > 0
                      || x.count(finding_severity::warning) > 0
                      || (strict && x.count(finding_severity::note) > 0);
  return is_bad ? exit_codes::findings : exit_codes::clean;
}

} // namespace

int execute(const check_request& x) {
  const auto loaded = load_topology(x.file, kinds_that_never_run());
  if (!loaded) {
    if (x.json)
      std::puts(defects_json(loaded.defects()).c_str());
    else
      print_defects(x.file, loaded.defects());
    return exit_codes::bad_file;
  }
  const auto& options = loaded->options;
  const auto result = policy::check(loaded->root, options.scan_interval,
                                    options.stop_within);
  if (x.json)
    std::puts(to_json(result).c_str());
  else
    std::fputs(to_text(result).c_str(), stdout);
  return verdict(result, x.strict);
}

// -- kinds and reference -----------------------------------------------------

namespace {

void print_kind(const std::string& name, const worker_kinds& kinds) {
  std::printf("%s\n\n%s\n\n", name.c_str(), kinds.find(name)->summary.c_str());
  for (const auto& x : kinds.arguments_of(name)) {
    const auto fallback = x.fallback ? " = " + *x.fallback
                                     : std::string{"   (has to be given)"};
    const auto more = x.expected.empty() ? "" : "; " + x.expected;
    std::printf("  %s%s\n      %s\n      (%s%s)\n", x.name.c_str(),
                fallback.c_str(), x.meaning.c_str(), x.type.c_str(),
                more.c_str());
  }
}

} // namespace

int execute(const kinds_request& x) {
  const auto kinds = kinds_that_never_run();
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds.all())
    names.push_back(name);
  if (x.name && kinds.find(*x.name) == nullptr) {
    std::fprintf(stderr,
                 "coppice: there is no kind '%s'%s\n"
                 "See `coppice kinds`.\n",
                 x.name->c_str(), did_you_mean(*x.name, names).c_str());
    return exit_codes::usage;
  }
  if (x.name) {
    print_kind(*x.name, kinds);
    return exit_codes::clean;
  }
  for (const auto& name : names)
    if (x.names_only)
      std::puts(name.c_str());
    else
      std::printf("%-13s %s\n", name.c_str(),
                  kinds.find(name)->summary.c_str());
  if (!x.names_only)
    std::puts("\n`coppice kinds KIND` shows its arguments.");
  return exit_codes::clean;
}

int execute(const reference_request&) {
  std::fputs(topology_reference(kinds_that_never_run()).c_str(), stdout);
  return exit_codes::clean;
}

int execute(const completion_request& x) {
  std::fputs(x.script.c_str(), stdout);
  return exit_codes::clean;
}

} // namespace coppice::tool

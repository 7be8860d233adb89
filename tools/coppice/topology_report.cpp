// This file is part of coppice. License: see LICENSE in the source root.

#include "topology_report.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace coppice::tool {

std::string headline(const std::string& file, const topology_defects& defects) {
  return file + ": "
         + (defects.size() == 1 ? std::string{"1 defect"}
                                : std::to_string(defects.size()) + " defects");
}

void print_defects(const std::string& file, const topology_defects& defects) {
  for (const auto& defect : defects)
    std::fprintf(stderr, "%s\n", to_string(defect).c_str());
  std::fprintf(stderr,
               "%s; nothing was started. `coppice reference` says what a "
               "topology may hold.\n",
               headline(file, defects).c_str());
}

std::string defects_json(const topology_defects& defects) {
  auto list = nlohmann::json::array();
  for (const auto& x : defects)
    list.push_back({{"file", x.file},
                    {"line", x.line},
                    {"column", x.column},
                    {"path", x.path},
                    {"value", x.value},
                    {"expected", x.expected},
                    {"nearest", x.nearest},
                    {"text", to_string(x)}});
  const nlohmann::json result{{"format", 1}, {"defects", std::move(list)}};
  return result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace coppice::tool

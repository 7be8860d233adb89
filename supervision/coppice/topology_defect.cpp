// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_defect.hpp"

#include "coppice/policy/spec_section.hpp"

namespace coppice {

namespace {

/// Names of files are shown whole.
std::string file_name(const std::string& x) {
  std::string out;
  for (const auto c : x)
    out += policy::is_control(c) ? '?' : c;
  return out;
}

} // namespace

std::string to_string(const topology_defect& defect) {
  auto line = file_name(defect.file);
  if (defect.line > 0)
    line += ':' + std::to_string(defect.line) + ':'
            + std::to_string(defect.column);
  line += ": ";
  if (!defect.path.empty())
    line += defect.path + ": ";
  line += "found " + defect.value + ", expected " + defect.expected;
  if (defect.nearest.empty())
    return line;
  const auto quote = defect.nearest.starts_with('"') ? "" : "'";
  return line + "; did you mean " + quote + defect.nearest + quote + '?';
}

std::string to_string(const topology_defects& defects) {
  std::string lines;
  for (const auto& defect : defects)
    lines += to_string(defect) + '\n';
  return lines;
}

} // namespace coppice

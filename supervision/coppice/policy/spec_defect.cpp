// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec_defect.hpp"

namespace coppice::policy {

std::string to_string(const spec_defect& defect) {
  return defect.field + ": found " + defect.value + ", expected "
         + defect.expected;
}

std::string to_string(const spec_defects& defects) {
  std::string lines;
  for (const auto& defect : defects) {
    if (!lines.empty())
      lines += '\n';
    lines += to_string(defect);
  }
  return lines;
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/worker_kind.hpp"

#include "coppice/topology_fields.hpp"

#include <cassert>
#include <utility>

namespace coppice {

worker_kinds& worker_kinds::register_worker(std::string name,
                                            std::string summary,
                                            kind_factory factory) {
  assert(factory != nullptr);
  kinds_.insert_or_assign(std::move(name),
                          kind{std::move(summary), std::move(factory)});
  return *this;
}

const worker_kinds::kind* worker_kinds::find(const std::string& name) const {
  const auto at = kinds_.find(name);
  return at == kinds_.end() ? nullptr : &at->second;
}

std::vector<argument_line>
worker_kinds::arguments_of(const std::string& name) const {
  const auto* found = find(name);
  return found ? describe(found->make) : std::vector<argument_line>{};
}

} // namespace coppice

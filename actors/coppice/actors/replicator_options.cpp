// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/replicator_options.hpp"

#include "coppice/failure_convert.hpp"
#include "coppice/policy/spec_section.hpp"

namespace coppice {

bool is_fatal_by_default(const failure& x) {
  switch (to_errc(x)) {
    case errc::permanent_failure:
    case errc::invalid_spec:
      return true;
    default:
      return x.failure_class == failure_classes::permanent_failure;
  }
}

namespace {

/// A hedge that comes when nobody waits any more is none.
void check_deadline(const policy::spec_section& at,
                    const replicator_options& options) {
  at.time(".deadline", options.deadline, policy::positive_or_infinite);
  if (!options.policy.hedge || !policy::positive.contains(options.deadline))
    return;
  const auto& hedge = *options.policy.hedge;
  const auto below = [&](const char* field, const policy::time_limit& x) {
    if (x.is_finite() && x.span() >= options.deadline.span())
      at.defect(field, to_string(x),
                "less than `deadline`, which is "
                  + to_string(options.deadline));
  };
  if (hedge.quantile)
    below(".hedge.floor", hedge.floor);
  else
    below(".hedge.delay", hedge.delay);
}

} // namespace

policy::spec_defects validate(const replicator_options& options,
                              const std::string& where) {
  std::vector<replica_spec> replicas;
  replicas.reserve(options.replicas.size());
  for (const auto& x : options.replicas)
    replicas.push_back(x.about);
  auto found = policy::validate(options.policy, replicas, where);
  const policy::spec_section at{found, where};
  for (std::size_t i = 0; i < options.replicas.size(); ++i)
    if (!options.replicas[i].handle)
      at.defect(".replicas[" + std::to_string(i) + "].handle", "null",
                "the handle of an actor");
  check_deadline(at, options);
  if (options.unmarked > unmarked_requests::send_once)
    at.defect(".unmarked", std::to_string(static_cast<int>(options.unmarked)),
              "refuse or send_once");
  return found;
}

} // namespace coppice

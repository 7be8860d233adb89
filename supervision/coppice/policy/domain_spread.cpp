// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/domain_spread.hpp"

#include "coppice/policy/replication_limits.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace coppice::policy {

namespace {

using level = std::string failure_domain::*;

/// Each label of a level serves one copy, and so does each replica without.
std::size_t most_by(level which, const std::vector<replica_spec>& replicas) {
  std::unordered_set<std::string_view> labels;
  std::size_t unlabelled = 0;
  for (const auto& x : replicas)
    if (const std::string& label = x.domain.*which; label.empty())
      ++unlabelled;
    else
      labels.insert(label);
  return labels.size() + unlabelled;
}

/// Looks for so many replicas of which no two share a domain, in all ways.
class domain_search {
public:
  explicit domain_search(const std::vector<replica_spec>& replicas)
    : replicas_(replicas) {}

  /// @returns true as well if it has to give up.
  bool finds(std::size_t wanted) {
    steps_ = 0;
    chosen_.clear();
    return finds_from(0, wanted);
  }

private:
  bool finds_from(std::size_t first, std::size_t wanted) {
    if (wanted == 0)
      return true;
    for (auto i = first; i + wanted <= replicas_.size(); ++i) {
      if (++steps_ > limits::domain_search_steps_max)
        return true;
      if (!fits(replicas_[i].domain))
        continue;
      chosen_.push_back(&replicas_[i].domain);
      if (finds_from(i + 1, wanted - 1))
        return true;
      chosen_.pop_back();
    }
    return false;
  }

  [[nodiscard]] bool fits(const failure_domain& x) const {
    return std::none_of(chosen_.begin(), chosen_.end(),
                        [&x](const failure_domain* other) {
                          return share_domain(x, *other);
                        });
  }

  const std::vector<replica_spec>& replicas_;
  std::vector<const failure_domain*> chosen_;
  std::size_t steps_ = 0;
};

} // namespace

std::size_t domain_spread(const std::vector<replica_spec>& replicas,
                          std::size_t wanted) {
  auto most = std::min(wanted, replicas.size());
  for (const auto which : {&failure_domain::thread, &failure_domain::process,
                           &failure_domain::host, &failure_domain::data_path})
    most = std::min(most, most_by(which, replicas));
  domain_search search{replicas};
  while (most > 1 && !search.finds(most))
    --most;
  return most;
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

// Questions: what one can ask a supervisor.

#include "coppice/policy/supervision_core.hpp"

#include <algorithm>
#include <charconv>

namespace coppice::policy {

child_counts supervision_core::counts() const {
  const auto supervisors = children_.supervisors();
  return {.specs = is_pool() ? 1u : children_.size(),
          .running = running_,
          .supervisors = supervisors,
          .workers = children_.size() - supervisors};
}

std::vector<child_info> supervision_core::listing(time_point now) const {
  std::vector<child_info> result;
  result.reserve(children_.size());
  for (auto key = children_.first(); key != no_child; key = children_[key].next)
    result.push_back(line_of(key, now));
  if (abandoned_.empty())
    return result;
  std::map<std::string_view, std::uint64_t> abandoned;
  for (const auto& [life, what] : abandoned_)
    ++abandoned[what.id];
  for (auto& line : result)
    if (const auto i = abandoned.find(line.id); i != abandoned.end())
      line.abandoned = i->second;
  return result;
}

child_info supervision_core::describe(child_key key, time_point now) const {
  auto result = line_of(key, now);
  for (const auto& [life, what] : abandoned_)
    result.abandoned += what.id == result.id ? 1u : 0u;
  return result;
}

/// Without the abandoned lives.
child_info supervision_core::line_of(child_key key, time_point now) const {
  const auto& child = children_[key];
  child_info info{.key = key,
                  .id = children_.id_of(key),
                  .kind = child.spec->kind(),
                  .restart = child.spec->restart,
                  .state = child.state,
                  .why = child.why,
                  .life = life_of(key),
                  .incarnation = child.incarnation,
                  .restarts_total = child.restarts_total};
  info.parked = child.parked && child.state != child_state::running
                && child.state != child_state::stopped;
  if (child.budget != nullptr)
    info.restarts_in_window = child.budget->spent(budget_time(now));
  if (child.state == child_state::backoff)
    info.next_retry = timers_.due_of(key);
  return info;
}

std::vector<abandoned_info> supervision_core::abandoned() const {
  std::vector<abandoned_info> result;
  result.reserve(abandoned_.size());
  for (const auto& [life, what] : abandoned_)
    result.push_back({.life = life,
                      .id = what.id,
                      .incarnation = what.incarnation,
                      .since = what.since});
  return result;
}

child_key supervision_core::find(std::string_view id) const {
  if (!is_pool())
    return children_.find(id);
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(id.data(), id.data() + id.size(),
                                             number);
  if (error != std::errc{} || rest != id.data() + id.size())
    return no_child;
  for (auto key = children_.first(); key != no_child; key = children_[key].next)
    if (children_[key].serial == number)
      return key;
  return no_child;
}

bool supervision_core::is_current(life_id life) const {
  return children_.contains(life.key)
         && children_[life.key].generation == life.generation
         && children_[life.key].is_live();
}

std::uint64_t supervision_core::restarts_in_window(time_point now) const {
  return budget_.spent(budget_time(now));
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/tree_delta.hpp"

#include "coppice/event_json.hpp"
#include "coppice/tree_snapshot_json.hpp"

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <tuple>
#include <unordered_set>

namespace coppice {

namespace {

/// 0 below a second, then 1, 2 from two seconds on, 3 from four, ...
int age_step(duration age) noexcept {
  const auto seconds = age / std::chrono::seconds{1};
  return seconds <= 0 ? 0
                      : static_cast<int>(
                        std::bit_width(static_cast<std::uint64_t>(seconds)));
}

int suspicion_step(double x) noexcept {
  constexpr double most = 1'000;
  return static_cast<int>(std::isnan(x) ? 0 : std::fmin(x, most) * 8);
}

bool looks_same(const std::optional<node_heartbeat>& x,
                const std::optional<node_heartbeat>& y) noexcept {
  if (!x || !y)
    return x.has_value() == y.has_value();
  const auto age = age_step(x->age);
  const auto suspicion = suspicion_step(x->suspicion);
  if (age != age_step(y->age) || suspicion != suspicion_step(y->suspicion))
    return false;
  const auto at_work = [](life_phase phase) {
    return phase == life_phase::busy || phase == life_phase::idle;
  };
  // Busy for less than a second and idle take turns all the time.
  if (age == 0 && suspicion == 0 && at_work(x->phase) && at_work(y->phase))
    return true;
  return x->phase == y->phase && x->limit == y->limit;
}

/// Frames are added to a failure on its way up; it stays the same.
bool is_same(const std::shared_ptr<const failure>& x,
             const std::shared_ptr<const failure>& y) noexcept {
  return x == y || (x && y && x->reference == y->reference);
}

class comparison {
public:
  void compare(const tree_node& before, const tree_node& after) {
    if (!coppice::looks_same(before, after))
      delta_.changed.push_back(&after);
    const auto& old = before.children;
    const auto& now = after.children;
    std::optional<std::unordered_set<std::string_view>> ids; // of `now`
    std::size_t i = 0;
    std::size_t j = 0;
    for (; j < now.size() && i < old.size(); ++i) {
      if (old[i].id == now[j].id) {
        compare(old[i], now[j++]);
        continue;
      }
      if (!ids)
        ids = ids_of(now);
      if (ids->contains(old[i].id))
        break; // it has moved
      delta_.removed.push_back(old[i].path);
    }
    for (; i < old.size(); ++i)
      delta_.removed.push_back(old[i].path);
    for (; j < now.size(); ++j)
      add(now[j]);
  }

  tree_delta take() { return std::move(delta_); }

private:
  static std::unordered_set<std::string_view>
  ids_of(const std::vector<tree_node>& children) {
    std::unordered_set<std::string_view> res;
    res.reserve(children.size());
    for (const auto& child : children)
      res.insert(child.id);
    return res;
  }

  void add(const tree_node& x) {
    delta_.changed.push_back(&x);
    for (const auto& child : x.children)
      add(child);
  }

  tree_delta delta_;
};

std::string dump(const nlohmann::ordered_json& x) {
  return x.dump(-1, ' ', false,
                nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace

bool looks_same(const tree_node& x, const tree_node& y) noexcept {
  const auto key = [](const tree_node& n) {
    return std::tie(n.kind, n.state, n.why, n.incarnation, n.restarts,
                    n.restarts_in_window, n.restart, n.next_retry, n.parked,
                    n.abandoned, n.hold_reason, n.strategy, n.limits, n.path);
  };
  return key(x) == key(y) && is_same(x.last_failure, y.last_failure)
         && looks_same(x.heartbeat, y.heartbeat);
}

tree_delta delta_between(const tree_snapshot& before,
                         const tree_snapshot& after) {
  comparison all;
  all.compare(before.root, after.root);
  return all.take();
}

std::string delta_json(const tree_delta& x, const tree_snapshot& after) {
  auto removed = nlohmann::ordered_json::array();
  for (const auto path : x.removed)
    removed.push_back(path);
  auto abandoned = nlohmann::ordered_json::array();
  for (const auto& life : after.abandoned)
    abandoned.push_back(
      {{"path", life.path}, {"incarnation", life.incarnation}});
  std::string res = R"({"when":")" + utc_text_ms(after.when) + R"(","version":)"
                    + std::to_string(after.version) + R"(,"state":")"
                    + to_string(after.state) + R"(","changed":[)";
  for (const auto* node : x.changed) {
    if (node != x.changed.front())
      res += ',';
    res += node_json(*node, after.at);
  }
  res += R"(],"removed":)" + dump(removed) + R"(,"abandoned":)"
         + dump(abandoned) + R"(,"events":{"last":)"
         + std::to_string(after.events_last) + R"(,"dropped":)"
         + std::to_string(after.events_dropped) + "}}";
  return res;
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

// What viewers are sent instead of a whole tree.

#include "coppice/observer/tree_delta.hpp"

#include "coppice/tree_snapshot_json.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace coppice::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

tree_node node(const std::string& path, bool is_supervisor) {
  return {.path = path,
          .id = path.substr(path.rfind('/') + 1),
          .kind = is_supervisor ? child_kind::supervisor : child_kind::worker,
          .state = node_state::running};
}

class random_tree {
public:
  explicit random_tree(std::uint64_t seed) : random_(seed) {
    x_.root = node("/app", true);
  }

  const tree_snapshot& next() {
    for (int i = 0; i < 6; ++i)
      change(x_.root, 0);
    return x_;
  }

private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  void change(tree_node& at, int depth) {
    auto& children = at.children;
    if (!children.empty() && below(3) > 0) {
      auto& child = children[below(children.size())];
      if (child.kind == child_kind::supervisor)
        return change(child, depth + 1);
      child.restarts += below(2);
      return;
    }
    switch (below(5)) {
      case 0:
        if (!children.empty())
          children.erase(children.begin()
                         + static_cast<std::ptrdiff_t>(below(children.size())));
        break;
      case 1:
        if (children.size() > 1)
          std::swap(children[below(children.size())], children.back());
        break;
      case 2:
        at.state = static_cast<node_state>(below(6));
        break;
      default:
        const auto where = below(4) > 0 ? children.size()
                                        : below(children.size() + 1);
        children.insert(children.begin() + static_cast<std::ptrdiff_t>(where),
                        node(at.path + '/' + std::to_string(++ids_),
                             depth < 3 && below(3) == 0));
    }
  }

  std::mt19937_64 random_;
  tree_snapshot x_;
  int ids_ = 0;
};

/// What a viewer has: nodes in order, each with its parent's path in its own.
class mirror {
public:
  void show(const tree_snapshot& x) {
    lines_.clear();
    add(json::parse(to_json(x))["root"]);
  }

  void apply(const json& delta) {
    for (const auto& path : delta["removed"])
      std::erase_if(lines_, [&](const json& x) {
        const auto own = x["path"].get<std::string>();
        return own == path || own.starts_with(path.get<std::string>() + '/');
      });
    for (const auto& changed : delta["changed"])
      put(changed);
  }

  [[nodiscard]] const std::vector<json>& lines() const { return lines_; }

private:
  void add(json x) {
    const auto children = x.value("children", json::array());
    x.erase("children");
    lines_.push_back(std::move(x));
    for (const auto& child : children)
      add(child);
  }

  void put(const json& changed) {
    const auto path = changed["path"].get<std::string>();
    const auto above = path.substr(0, path.rfind('/'));
    auto at = lines_.begin();
    auto last = lines_.end();
    for (; at != lines_.end() && (*at)["path"] != path; ++at) {
      const auto own = (*at)["path"].get<std::string>();
      if (own == above || own.starts_with(above + '/'))
        last = at;
    }
    if (at != lines_.end()) {
      *at = changed;
      return;
    }
    ASSERT_NE(last, lines_.end()) << path << " came before its parent";
    lines_.insert(last + 1, changed);
  }

  std::vector<json> lines_;
};

// OBSERVE-2: whoever applies the deltas sees what a whole snapshot shows.
TEST(TreeDelta, LeadsFromEachSnapshotToTheNext) {
  const seeded seeded_test;
  for (std::uint64_t run = 0; run < 10; ++run) {
    random_tree tree{seeded_test.seed + run};
    mirror viewer;
    auto before = tree.next();
    viewer.show(before);
    for (int step = 0; step < 40; ++step) {
      const auto after = tree.next();
      viewer.apply(
        json::parse(delta_json(delta_between(before, after), after)));
      mirror expected;
      expected.show(after);
      ASSERT_EQ(viewer.lines(), expected.lines()) << run << ':' << step;
      before = after;
    }
  }
}

// OBSERVE-2: a life that does well is no news; one that does not, is.
TEST(TreeDelta, LeavesHealthyHeartbeatsOut) {
  auto x = node("/app/a", false);
  x.heartbeat = node_heartbeat{.age = 10ms, .limit = infinity};
  auto y = x;
  y.heartbeat = node_heartbeat{.phase = life_phase::busy,
                               .busy = true,
                               .age = 900ms,
                               .limit = 30s,
                               .suspicion = 0.03};
  EXPECT_TRUE(looks_same(x, y));
  y.heartbeat->age = 1s;
  EXPECT_FALSE(looks_same(x, y));
  x = y;
  y.heartbeat->age = 1900ms;
  EXPECT_TRUE(looks_same(x, y));
  y.heartbeat->suspicion = 0.7;
  EXPECT_FALSE(looks_same(x, y));
  y = x;
  y.heartbeat.reset();
  EXPECT_FALSE(looks_same(x, y));
}

} // namespace
} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

// Times: how long starting and stopping can take. The core walks through the
// children of a supervisor one by one, whatever its strategy; a pool stops all
// of its instances together (STOP-1).

#include "coppice/policy/spec_check_loops.hpp"
#include "coppice/policy/spec_check_tree.hpp"

namespace coppice::policy {

time_limit stop_time_of_children(const checked_tree& tree, std::size_t at) {
  time_limit total = duration{0};
  tree.each_child(at, [&](std::size_t i) {
    total = sum(total, tree.nodes()[i].stop);
  });
  return total;
}

time_limit start_time_of_children(const checked_tree& tree, std::size_t at) {
  time_limit total = duration{0};
  if (is_pool(*tree.nodes()[at].supervisor))
    return total; // it has no instances yet
  tree.each_child(at, [&](std::size_t i) {
    total = sum(total, tree.nodes()[i].start);
  });
  return total;
}

/// As its supervisor sees it: an inner one gets its grace as a deadline, by
/// which it has killed and abandoned what is left.
time_limit stop_time(const checked_tree& tree, std::size_t at) {
  const auto& node = tree.nodes()[at];
  if (node.child == nullptr)
    return stop_time_of_children(tree, at);
  const auto grace = node.child->effective_shutdown();
  if (node.supervisor == nullptr)
    return sum(grace.is_brutal() ? time_limit{duration{0}} : grace.limit(),
               node.child->kill_grace);
  if (grace.is_brutal())
    return duration{0}; // it takes its children with it, and waits for nobody
  return lesser(grace.limit(), stop_time_of_children(tree, at));
}

time_limit start_time(const checked_tree& tree, std::size_t at) {
  const auto& node = tree.nodes()[at];
  if (node.child == nullptr)
    return start_time_of_children(tree, at);
  const auto deadline = node.child->effective_start_deadline();
  if (node.supervisor == nullptr)
    return deadline;
  return lesser(deadline, start_time_of_children(tree, at));
}

} // namespace coppice::policy

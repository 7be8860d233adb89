// This file is part of coppice. License: see LICENSE in the source root.

// The tree as a list: upwards what children cost, downwards how many lives.

#include "coppice/policy/spec_check_tree.hpp"

#include "coppice/policy/spec_check_loops.hpp"
#include "coppice/policy/spec_section.hpp"

namespace coppice::policy {

checked_tree::checked_tree(const supervisor_spec& root) {
  add(nullptr, &root, 0, 0);
  for (auto i = nodes_.size(); i-- > 0;)
    estimate(i);
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    auto& node = nodes_[i];
    const auto& above = nodes_[node.parent];
    // Nobody starts the instances of a pool with it.
    const auto each = is_pool(*above.supervisor)
                        ? node.per_life
                        : sum(node.per_life, count_limit{1});
    node.lives = product(lives_above(node), each);
  }
}

/// Of the supervisor above: of an instance, with the first life of each.
count_limit checked_tree::lives_above(const checked_node& x) const {
  const auto& above = nodes_[x.parent];
  if (above.child == nullptr || !is_pool(*nodes_[above.parent].supervisor))
    return above.lives;
  const auto& pool = nodes_[above.parent];
  return sum(above.lives, product(pool.lives, pool.supervisor->children_max));
}

// As deep as specs nest, and validation bounds that.
void checked_tree::add(const child_spec* child,
                       const supervisor_spec* supervisor, std::size_t parent,
                       std::size_t index) {
  const auto at = nodes_.size();
  nodes_.push_back({.child = child,
                    .supervisor = supervisor,
                    .parent = parent,
                    .index = index});
  if (supervisor != nullptr)
    for (std::size_t i = 0; i < supervisor->children.size(); ++i) {
      const auto& next = supervisor->children[i];
      add(&next, next.supervisor ? &*next.supervisor : nullptr, at, i);
    }
  nodes_[at].end = nodes_.size();
}

std::string checked_tree::path_of(std::size_t at) const {
  const auto& node = nodes_[at];
  if (node.child == nullptr)
    return '/' + node.supervisor->name;
  return path_of(node.parent) + '/'
         + (is_pool(supervisor_of(at)) ? std::string{"*"} : node.child->id);
}

std::string checked_tree::field_of(std::size_t at) const {
  const auto& node = nodes_[at];
  if (node.child == nullptr)
    return node.supervisor->name;
  return settings_of(node.parent) + ".children[" + std::to_string(node.index)
         + "](" + printable(node.child->id) + ')';
}

std::string checked_tree::settings_of(std::size_t at) const {
  return field_of(at) + (at == 0 ? "" : ".supervisor");
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

// What the core is told.

#include "support/core_checker.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;

core_checker::core_checker(const supervisor_spec& spec,
                           const supervision_core& core)
  : spec_(spec),
    core_(core),
    budget_(spec.limits),
    pause_max_(spec.pause_length.span()) {
  specs_.push_back(spec);
  std::size_t index = 0;
  for (const auto& info : core.listing({})) {
    const auto& said = specs_.back().children.at(index++);
    if (info.id != said.id)
      object("lists " + info.id + " where " + said.id + " should be");
    order_.push_back(info.key);
    children_[info.key] = {.spec = &said,
                           .id = said.id,
                           .budget = budget_recount{said.limits},
                           .is_static = true,
                           .is_declared = true};
  }
}

void core_checker::before(const fact& x, time_point now) {
  fact_ = x;
  now_ = std::max(now_, now);
  open_ = {};
  is_stale_ = false;
  must_give_up_ = false;
  must_pause_ = false;
  for (auto& [key, child] : children_)
    child.is_announced = child.has_failed = false;
  if (x.is_end() || x.kind == fact_kind::ready)
    note_end(x);
  else if (x.is_command())
    note_command(x);
  else if (x.kind == fact_kind::timer)
    armed_.reset();
  else if (x.kind == fact_kind::start)
    is_started_ = true;
  else if (x.kind == fact_kind::reload && !core_.is_ending())
    note_reload(*x.next);
}

void core_checker::note_end(const fact& x) {
  const auto i = children_.find(x.life.key);
  auto* life = i != children_.end() ? &i->second.life : nullptr;
  is_stale_ = life == nullptr || life->life != x.life || !life->is_alive;
  if (x.kind == fact_kind::ready) {
    is_stale_ = is_stale_ || life->is_ready || life->is_stopping();
    if (is_stale_)
      return;
    life->is_ready = true;
    i->second.is_settled = true;
  } else if (!is_stale_) {
    i->second.is_settled = i->second.is_settled
                           || x.kind == fact_kind::declined;
    life_is_over(*life);
  } else if (abandoned_.erase(x.life) > 0) {
    is_stale_ = false;
  }
}

void core_checker::life_is_over(seen_life& x) {
  x.is_alive = false;
  if (std::exchange(x.freezes, false))
    clock_.thaw(now_);
}

void core_checker::note_command(const fact& x) {
  pending_.emplace(x.token, pending{x.kind, x.key});
  if (x.kind == fact_kind::add)
    added_.push_back(*x.spec);
  if (x.kind == fact_kind::stop) {
    is_ending_ = true;
    const auto span = std::max(x.within.span(), duration::zero());
    const auto end = saturating_add(now_, span);
    if (x.within.is_finite() && end < end_at_) {
      end_at_ = end;
      const auto reserve = std::min<duration>(span / 2,
                                              std::chrono::seconds{1});
      kill_all_at_ = std::min(kill_all_at_, end - reserve);
    }
  }
  const auto i = children_.find(x.key);
  if (i == children_.end())
    return;
  if (x.kind == fact_kind::restart || x.kind == fact_kind::retry_now) {
    i->second.is_sticky = false;
    i->second.retry_not_before = time_point::min();
  }
  if (x.kind == fact_kind::terminate)
    i->second.is_settled = true;
}

void core_checker::after(const directives& todo) {
  if (todo.size() > 24 + 12 * (order_.size() + 1))
    object("a storm of " + std::to_string(todo.size()) + " directives");
  if (fact_.kind == fact_kind::reload && !core_.is_ending())
    note_new_children();
  for (const auto& x : todo)
    std::visit([this](const auto& directive) { see(directive); }, x);
  check_stale(todo);
  check_state();
}

/// Does a command wait for this child's start?
bool core_checker::is_awaited(child_key key) const {
  return std::ranges::any_of(pending_, [key](const auto& entry) {
    return entry.second.key == key && entry.second.kind != fact_kind::terminate
           && entry.second.kind != fact_kind::remove;
  });
}

std::uint64_t core_checker::place_of(child_key key) const {
  return static_cast<std::uint64_t>(std::ranges::find(order_, key)
                                    - order_.begin());
}

void core_checker::object(const std::string& what) {
  if (objection_.empty())
    objection_ = what;
}

void core_checker::object(const std::string& what, child_key key) {
  if (!objection_.empty())
    return;
  const auto i = children_.find(key);
  object(what + " (child " + std::to_string(key)
         + (i != children_.end() ? ", " + i->second.id + ')' : ")"));
}

} // namespace coppice::test

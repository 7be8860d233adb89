// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/child_table.hpp"

#include <algorithm>
#include <utility>

namespace coppice::policy {

namespace {

/// Ids that are gone and remembered one by one. Beyond it, all of them are
/// represented by the highest incarnation among them: later children then
/// start above 1, which is the price of bounded memory.
constexpr std::size_t gone_ids_max = 65'536;

/// No id has a slash in it, so this can stand for all that are not remembered
/// one by one.
constexpr std::string_view all_others = "/";

} // namespace

child_key child_table::append(child_spec spec) {
  const auto key = take_slot();
  auto owned = std::make_unique<child_spec>(std::move(spec));
  auto& record = records_[key];
  record.spec = owned.get();
  record.incarnation = gone_floor_;
  if (const auto i = gone_.find(owned->id); i != gone_.end()) {
    record.incarnation = i->second;
    gone_.erase(i);
  }
  by_id_.emplace(std::string_view{owned->id}, key);
  specs_.emplace(key, std::move(owned));
  link_last(key);
  return key;
}

void child_table::respec(child_key key, child_spec spec) {
  auto& owned = *specs_.at(key);
  auto entry = by_id_.extract(std::string_view{owned.id});
  owned = std::move(spec);
  entry.key() = owned.id; // the text has moved
  by_id_.insert(std::move(entry));
}

child_key child_table::replace(child_key key, child_spec spec) {
  by_id_.erase(std::string_view{records_[key].spec->id});
  const auto result = append(std::move(spec));
  records_[result].incarnation = records_[key].incarnation;
  return result;
}

void child_table::arrange(const std::vector<child_key>& order) {
  first_ = last_ = no_child;
  for (const auto key : order) {
    link(key);
    records_[key].serial = ++serials_;
  }
}

bool child_table::is_in_order(const std::vector<child_key>& order) const {
  auto at = first_;
  for (const auto key : order) {
    if (key != at)
      return false;
    at = records_[key].next;
  }
  return true;
}

child_key child_table::append_instance(const child_spec& shared) {
  const auto key = take_slot();
  records_[key].spec = &shared;
  link_last(key);
  return key;
}

bool child_record::is_restarting() const noexcept {
  switch (state) {
    case child_state::starting:
      return purpose == start_purpose::automatic;
    case child_state::running:
      return false;
    case child_state::stopping:
      return will_be_retried(after) || after == after_end::wait_group
             || after == after_end::rejoin;
    case child_state::backoff:
      return true;
    case child_state::stopped:
      return why == stopped_why::by_group;
  }
  return false;
}

void child_table::release_start(child_key key) {
  if (const auto i = specs_.find(key); i != specs_.end())
    i->second->start = {};
}

void child_table::erase(child_key key) {
  auto& record = records_[key];
  if (record.previous != no_child)
    records_[record.previous].next = record.next;
  else
    first_ = record.next;
  if (record.next != no_child)
    records_[record.next].previous = record.previous;
  else
    last_ = record.previous;
  if (record.spec->kind() == child_kind::supervisor)
    --supervisors_;
  --size_;
  if (specs_.contains(key)) {
    remember_gone(record);
    if (const auto i = by_id_.find(record.spec->id);
        i != by_id_.end() && i->second == key) // not its replacement's
      by_id_.erase(i);
  }
  record.in_use = false;
  record.budget.reset();
  erased_.push_back(key);
}

void child_table::purge() {
  for (const auto key : erased_) {
    auto& record = records_[key];
    const auto generation = record.generation;
    record = child_record{};
    record.generation = generation;
    specs_.erase(key);
    free_.push_back(key);
  }
  erased_.clear();
}

child_key child_table::find(std::string_view id) const {
  const auto i = by_id_.find(id);
  return i != by_id_.end() ? i->second : no_child;
}

void child_table::continue_from(const last_incarnations& last) {
  for (const auto& [id, incarnation] : last) {
    if (id.empty())
      serials_ = std::max(serials_, incarnation);
    else if (id == all_others)
      gone_floor_ = std::max(gone_floor_, incarnation);
    else if (const auto key = find(id); key != no_child)
      records_[key].incarnation = incarnation;
    else
      gone_.insert_or_assign(id, incarnation);
  }
  for (auto key = first_; key != no_child; key = records_[key].next)
    if (!last.contains(records_[key].spec->id))
      records_[key].incarnation = gone_floor_;
}

child_table::last_incarnations child_table::last_incarnations_of_all() const {
  auto result = gone_;
  for (const auto& [id, key] : by_id_)
    result.insert_or_assign(std::string{id}, records_[key].incarnation);
  result.insert_or_assign(std::string{}, serials_);
  if (gone_floor_ > 0)
    result.insert_or_assign(std::string{all_others}, gone_floor_);
  return result;
}

std::string child_table::id_of(child_key key) const {
  const auto& record = records_[key];
  return specs_.contains(key) ? record.spec->id : std::to_string(record.serial);
}

child_key child_table::take_slot() {
  if (free_.empty()) {
    records_.emplace_back();
    return static_cast<child_key>(records_.size() - 1);
  }
  const auto key = free_.back();
  free_.pop_back();
  return key;
}

void child_table::link(child_key key) {
  auto& record = records_[key];
  record.previous = last_;
  record.next = no_child;
  if (last_ != no_child)
    records_[last_].next = key;
  else
    first_ = key;
  last_ = key;
}

void child_table::link_last(child_key key) {
  auto& record = records_[key];
  record.in_use = true;
  record.serial = ++serials_;
  link(key);
  ++size_;
  if (record.spec->kind() == child_kind::supervisor)
    ++supervisors_;
  if (!record.spec->limits.restarts_max.is_infinite())
    record.budget = std::make_unique<restart_budget>(record.spec->limits);
}

void child_table::remember_gone(const child_record& record) {
  if (record.incarnation == 0)
    return;
  if (gone_.size() >= gone_ids_max) {
    for (const auto& [id, incarnation] : gone_)
      gone_floor_ = std::max(gone_floor_, incarnation);
    gone_.clear();
  }
  gone_.insert_or_assign(record.spec->id, record.incarnation);
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/ticket_queue.hpp"

#include "coppice/policy/stable_hash.hpp"

#include <cassert>
#include <utility>

namespace coppice::policy {

namespace {

constexpr std::size_t buckets_min = 16; // a power of two

} // namespace

ticket_queue::ticket_queue() : buckets_(buckets_min, nil) {}

ticket_queue::slot ticket_queue::push(const ticket& who, time_point now) {
  assert(find(who.id) == nil);
  const auto x = new_slot();
  entries_[x] = {.who = who, .arrived = now};
  auto& bucket = bucket_of(who.id);
  entries_[x].next_of_bucket = std::exchange(bucket, x);
  append(x);
  if (who.deadline)
    deadlines_.set(x, *who.deadline);
  return x;
}

void ticket_queue::start(slot x) {
  assert(!entries_[x].in_service);
  unlink(x);
  entries_[x].in_service = true;
  ++in_service_;
}

ticket ticket_queue::erase(slot x) {
  if (entries_[x].in_service)
    --in_service_;
  else
    unlink(x);
  auto* link = &bucket_of(entries_[x].who.id);
  while (*link != x)
    link = &entries_[*link].next_of_bucket;
  *link = entries_[x].next_of_bucket;
  free_.push_back(x);
  return entries_[x].who;
}

ticket_queue::slot ticket_queue::find(std::uint64_t id) const noexcept {
  auto x = buckets_[stable_hash(id) & (buckets_.size() - 1)];
  while (x != nil && entries_[x].who.id != id)
    x = entries_[x].next_of_bucket;
  return x;
}

ticket_queue::slot& ticket_queue::bucket_of(std::uint64_t id) noexcept {
  return buckets_[stable_hash(id) & (buckets_.size() - 1)];
}

ticket_queue::slot ticket_queue::new_slot() {
  if (!free_.empty()) {
    const auto x = free_.back();
    free_.pop_back();
    return x;
  }
  if (entries_.size() == buckets_.size())
    grow_buckets();
  entries_.emplace_back();
  return static_cast<slot>(entries_.size() - 1);
}

// Called while no slot is free, so each of them is in a bucket.
void ticket_queue::grow_buckets() {
  buckets_.assign(2 * buckets_.size(), nil);
  for (slot x = 0; x < entries_.size(); ++x) {
    auto& bucket = bucket_of(entries_[x].who.id);
    entries_[x].next_of_bucket = std::exchange(bucket, x);
  }
}

void ticket_queue::append(slot x) {
  auto& line = lists_[static_cast<std::size_t>(entries_[x].who.level)];
  entries_[x].older = line.newest;
  if (line.newest != nil)
    entries_[line.newest].newer = x;
  else
    line.oldest = x;
  line.newest = x;
  ++line.size;
  ++depth_;
}

void ticket_queue::unlink(slot x) {
  deadlines_.cancel(x);
  const auto [older, newer] = std::pair{entries_[x].older, entries_[x].newer};
  auto& line = lists_[static_cast<std::size_t>(entries_[x].who.level)];
  (older != nil ? entries_[older].newer : line.oldest) = newer;
  (newer != nil ? entries_[newer].older : line.newest) = older;
  --line.size;
  --depth_;
}

} // namespace coppice::policy

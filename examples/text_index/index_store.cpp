// This file is part of coppice. License: see LICENSE in the source root.

#include "index_store.hpp"

#include <algorithm>
#include <numeric>

namespace text_index {

namespace {

std::uint64_t& counter_of(file_kind kind, store_progress& progress) {
  switch (kind) {
    case file_kind::text:
      return progress.files_text;
    case file_kind::binary:
      return progress.files_binary;
    default:
      return progress.files_unreadable;
  }
}

} // namespace

index_store::index_store(std::size_t files, std::uint32_t lives_max)
  : lives_max_(lives_max), pending_(files), strikes_(files) {
  std::iota(pending_.begin(), pending_.end(), file_number{0});
}

assignment index_store::next_for(const worker_life& life) {
  std::lock_guard guard{mutex_};
  auto& asking = workers_[life.path];
  if (life.incarnation < asking.incarnation)
    return {.what = assignment::kind::outlived};
  take_back(asking.last_lease, life.incarnation > asking.incarnation);
  asking.incarnation = life.incarnation;
  if (pending_.empty())
    return {.what = is_finished() ? assignment::kind::finished
                                  : assignment::kind::wait};
  const auto file = pending_.front();
  const auto number = progress_.leases + 1;
  leased_.emplace(number, file);
  pending_.pop_front();
  progress_.leases = number;
  asking.last_lease = number;
  return {.what = assignment::kind::work,
          .work = {number, file, strikes_[file]}};
}

/// Does nothing if the file was brought in.
void index_store::take_back(std::uint64_t lease_number, bool has_fallen) {
  const auto held = leased_.find(lease_number);
  if (held == leased_.end())
    return;
  const auto file = held->second;
  if (has_fallen && ++strikes_[file] >= lives_max_) {
    set_aside_.push_back(file);
    ++progress_.files_set_aside;
  } else {
    pending_.push_front(file); // at the end, trouble would pile up
  }
  leased_.erase(held);
  if (is_finished())
    finished_.notify_all();
}

receipt index_store::bring_in(std::uint64_t lease_number,
                              const file_scan& file) {
  std::lock_guard guard{mutex_};
  const auto held = leased_.find(lease_number);
  if (held == leased_.end()) {
    ++progress_.late_results;
    return receipt::too_late;
  }
  index_.add(file.words); // may throw; nothing below does
  leased_.erase(held);
  ++counter_of(file.kind, progress_);
  progress_.words += file.words_total;
  if (is_finished())
    finished_.notify_all();
  return receipt::counted;
}

bool index_store::wait_until_finished(std::chrono::nanoseconds timeout) const {
  std::unique_lock guard{mutex_};
  return finished_.wait_for(guard, timeout, [this] { return is_finished(); });
}

store_progress index_store::progress() const {
  std::lock_guard guard{mutex_};
  return progress_;
}

std::vector<file_number> index_store::set_aside() const {
  std::lock_guard guard{mutex_};
  auto result = set_aside_;
  std::sort(result.begin(), result.end());
  return result;
}

word_index index_store::index() const {
  std::lock_guard guard{mutex_};
  return index_;
}

/// @pre The mutex is held.
bool index_store::is_finished() const {
  return pending_.empty() && leased_.empty();
}

} // namespace text_index

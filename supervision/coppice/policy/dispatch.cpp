// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/dispatch.hpp"

#include "coppice/policy/stable_hash.hpp"

#include <algorithm>

namespace coppice::policy {

// -- members -----------------------------------------------------------------

bool dispatcher::add(member_id who) {
  const auto turn = whose_turn();
  const auto place = std::lower_bound(members_.begin(), members_.end(), who,
                                      [](const member& x, member_id id) {
                                        return x.who < id;
                                      });
  if (place != members_.end() && place->who == who)
    return false;
  members_.insert(place,
                  {.who = who, .hash = stable_hash(who), .life = ++lives_});
  rebuild(turn);
  return true;
}

bool dispatcher::remove(member_id who) {
  const auto found = find(who);
  if (found == nobody)
    return false;
  const auto turn = whose_turn();
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(found));
  rebuild(turn);
  return true;
}

bool dispatcher::pause(member_id who) {
  const auto found = find(who);
  if (found == nobody)
    return false;
  const auto turn = whose_turn();
  members_[found].pauses = true;
  members_[found].outstanding = 0;
  members_[found].life = 0; // no life has this number
  rebuild(turn);
  return true;
}

std::uint64_t dispatcher::resume(member_id who, std::size_t outstanding) {
  const auto found = find(who);
  if (found == nobody)
    return 0;
  auto& x = members_[found];
  if (!x.pauses)
    return x.life;
  const auto turn = whose_turn();
  x.pauses = false;
  x.outstanding = outstanding;
  x.life = ++lives_;
  rebuild(turn);
  return members_[found].life;
}

std::size_t dispatcher::outstanding(member_id who) const noexcept {
  const auto found = find(who);
  return found == nobody ? 0 : members_[found].outstanding;
}

// -- requests ----------------------------------------------------------------

std::optional<chosen_member> dispatcher::choose(std::uint64_t key,
                                                std::size_t busy_from) {
  if (available_.empty())
    return std::nullopt;
  const auto place = pick(key, busy_from);
  if (place == nobody)
    return std::nullopt;
  auto& who = members_[available_[place]];
  if (who.outstanding >= busy_from)
    return std::nullopt;
  turn_ = (place + 1) % available_.size();
  ++who.outstanding;
  return chosen_member{who.who, who.life};
}

bool dispatcher::on_done(const chosen_member& x) {
  const auto found = find(x.who);
  if (found == nobody || members_[found].life != x.life
      || members_[found].outstanding == 0)
    return false;
  --members_[found].outstanding;
  return true;
}

// -- choices: places in `available_` -----------------------------------------

dispatcher::index dispatcher::pick(std::uint64_t key, std::size_t busy_from) {
  switch (kind_) {
    case dispatch_kind::round_robin:
      return in_turn(busy_from);
    case dispatch_kind::least_loaded:
      return least_loaded();
    case dispatch_kind::two_random_choices: {
      const auto place = less_loaded_of_two();
      // Both may be busy where a third is not.
      return members_[available_[place]].outstanding < busy_from
               ? place
               : least_loaded();
    }
    case dispatch_kind::by_key:
      return of_key(key);
  }
  return nobody;
}

dispatcher::index dispatcher::in_turn(std::size_t busy_from) const noexcept {
  for (index i = 0; i < available_.size(); ++i) {
    const auto place = (turn_ + i) % available_.size();
    if (members_[available_[place]].outstanding < busy_from)
      return place;
  }
  return nobody;
}

// From the one whose turn it is, so that ties go round.
dispatcher::index dispatcher::least_loaded() const noexcept {
  auto best = nobody;
  std::size_t least = SIZE_MAX;
  const auto look_at = [&](index place) {
    const auto load = members_[available_[place]].outstanding;
    if (load < least) {
      least = load;
      best = place;
    }
  };
  for (auto place = turn_; place < available_.size(); ++place)
    look_at(place);
  for (index place = 0; place < turn_; ++place)
    look_at(place);
  return best;
}

dispatcher::index dispatcher::less_loaded_of_two() noexcept {
  const auto count = available_.size();
  if (count == 1)
    return 0;
  const auto one = static_cast<index>(random_.up_to(count - 1));
  auto other = static_cast<index>(random_.up_to(count - 2));
  if (other >= one)
    ++other;
  const auto load_of = [this](index place) {
    return members_[available_[place]].outstanding;
  };
  return load_of(other) < load_of(one) ? other : one;
}

// The highest score wins. A member's scores do not depend on the others, so
// that only its own keys move when it comes or goes.
dispatcher::index dispatcher::of_key(std::uint64_t key) const noexcept {
  const auto hash = stable_hash(key ^ 0x9e3779b97f4a7c15u);
  index best = 0;
  std::uint64_t highest = 0;
  for (index place = 0; place < available_.size(); ++place) {
    const auto score = stable_hash(hash ^ members_[available_[place]].hash);
    if (score > highest) {
      highest = score;
      best = place;
    }
  }
  return best;
}

// -- housekeeping ------------------------------------------------------------

dispatcher::index dispatcher::find(member_id who) const noexcept {
  const auto place = std::lower_bound(members_.begin(), members_.end(), who,
                                      [](const member& x, member_id id) {
                                        return x.who < id;
                                      });
  return place != members_.end() && place->who == who
           ? static_cast<index>(place - members_.begin())
           : nobody;
}

member_id dispatcher::whose_turn() const noexcept {
  return available_.empty() ? 0 : members_[available_[turn_]].who;
}

// The turn stays with whose it was, or passes to the one after it.
void dispatcher::rebuild(member_id turn) {
  available_.clear();
  turn_ = 0;
  auto is_found = false;
  for (index i = 0; i < members_.size(); ++i) {
    if (members_[i].pauses)
      continue;
    if (!is_found && members_[i].who >= turn) {
      turn_ = available_.size();
      is_found = true;
    }
    available_.push_back(i);
  }
}

const char* to_string(dispatch_kind x) noexcept {
  switch (x) {
    case dispatch_kind::round_robin:
      return "round_robin";
    case dispatch_kind::least_loaded:
      return "least_loaded";
    case dispatch_kind::two_random_choices:
      return "two_random_choices";
    case dispatch_kind::by_key:
      return "by_key";
  }
  return "unknown";
}

} // namespace coppice::policy

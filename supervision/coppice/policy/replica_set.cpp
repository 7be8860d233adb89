// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replica_set.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

namespace coppice::policy {

namespace {

/// Worse than all that may be chosen.
constexpr unsigned never = 16;

/// The share rounded down, but a product like 0.29 * 100 not to 28.
std::size_t share_of(double share, std::size_t size) {
  const auto exact = share * static_cast<double>(size);
  return std::min(static_cast<std::size_t>(exact + 1e-9), size);
}

} // namespace

replica_set::replica_set(const std::vector<replica_spec>& replicas,
                         replica_choice how, const ejection_spec& ejection,
                         std::uint64_t seed, shared_domain_rule rule)
  : how_(how),
    ejection_(ejection),
    rule_(rule),
    random_(seed),
    set_aside_max_(share_of(ejection.share_max, replicas.size())) {
  all_.reserve(replicas.size());
  auto all_state_them = true;
  for (const auto& spec : replicas) {
    all_.push_back({.spec = spec});
    servers_ += spec.servers;
    all_state_them = all_state_them && spec.servers > 0;
  }
  if (!all_state_them)
    servers_ = 0;
  number_labels();
  candidates_.reserve(all_.size());
  means_.reserve(all_.size());
}

// Numbers, so that a choice compares no texts. A label of one level is not the
// same as one of another.
void replica_set::number_labels() {
  std::map<std::pair<std::size_t, std::string>, std::uint32_t> numbers;
  for (auto& x : all_) {
    const auto& domain = x.spec.domain;
    const std::array names{&domain.thread, &domain.process, &domain.host,
                           &domain.data_path};
    static_assert(std::tuple_size_v<labels> == names.size());
    for (std::size_t level = 0; level < names.size(); ++level)
      if (!names[level]->empty()) {
        const auto next = static_cast<std::uint32_t>(numbers.size() + 1);
        const auto found = numbers.try_emplace({level, *names[level]}, next);
        x.domain[level] = found.first->second;
      }
  }
  label_used_in_.assign(numbers.size() + 1, 0);
}

// -- choosing ----------------------------------------------------------------

std::optional<replica_set::choice>
replica_set::choose(time_point now, std::span<const replica_id> used,
                    bool may_probe) {
  mark(used);
  candidates_.clear();
  auto best = never;
  for (replica_id i = 0; i < all_.size(); ++i) {
    const auto found = rank(now, all_[i], may_probe);
    if (found < best) {
      best = found;
      candidates_.clear();
    }
    if (found == best && found != never)
      candidates_.push_back(i);
  }
  if (candidates_.empty())
    return std::nullopt;
  const auto who = pick();
  auto& x = all_[who];
  const auto is_probe = is_due(now, x);
  x.probe_chosen = is_probe ? std::optional{now} : std::nullopt;
  return choice{who, shares_used_domain(x), is_probe};
}

// By the number of the round, so that nothing has to be cleared afterwards.
void replica_set::mark(std::span<const replica_id> used) {
  ++round_;
  for (const auto who : used) {
    assert(who < all_.size());
    all_[who].used_in = round_;
    for (const auto label : all_[who].domain)
      label_used_in_[label] = round_;
  }
  label_used_in_[0] = 0; // no label is not one in common
}

// Where copies to a used domain are sent all the same, trouble that is feared
// is better than trouble that is known. Where they are refused, anything is
// better than those.
unsigned replica_set::rank(time_point now, const record& x,
                           bool may_probe) const {
  if (x.used_in == round_ || !x.is_present)
    return never;
  const auto is_pushed_back = now < x.pushed_back_until;
  if (is_pushed_back && may_probe)
    return never;
  const auto refuses = is_pushed_back ? 8u : 0u;
  const auto which = static_cast<unsigned>(standing_of(now, x, may_probe));
  const auto is_last_resort = which / 2;
  const auto is_shared = shares_used_domain(x) ? 1u : 0u;
  return rule_ == shared_domain_rule::refuse
           ? refuses + is_shared * 4 + is_last_resort * 2 + which % 2
           : refuses + is_last_resort * 4 + is_shared * 2 + which % 2;
}

bool replica_set::shares_used_domain(const record& x) const noexcept {
  return std::any_of(x.domain.begin(), x.domain.end(), [this](auto label) {
    return label_used_in_[label] == round_;
  });
}

replica_set::standing replica_set::standing_of(time_point now, const record& x,
                                               bool may_probe) const {
  if (!x.is_set_aside)
    return standing::sound;
  if (!is_due(now, x))
    return standing::set_aside;
  if (may_probe)
    return standing::probe;
  return now >= ejection_.cap.after(x.probe_due) ? standing::sound
                                                 : standing::due;
}

bool replica_set::is_due(time_point now, const record& x) noexcept {
  return x.is_set_aside && !x.probe_sent && now >= x.probe_due;
}

bool replica_set::is_barred(time_point now, const record& x) noexcept {
  return !x.is_present || now < x.pushed_back_until;
}

replica_id replica_set::pick() {
  const auto last = candidates_.size() - 1;
  const auto one = candidates_[random_.up_to(last)];
  if (how_ == replica_choice::uniform || last == 0)
    return one;
  // Another one: of those before the last, the last in the place of `one`.
  auto other = candidates_[random_.up_to(last - 1)];
  if (other == one)
    other = candidates_[last];
  return is_less_loaded(all_[other], all_[one]) ? other : one;
}

// Per server, where both say how many they have.
bool replica_set::is_less_loaded(const record& a, const record& b) noexcept {
  const auto is_known = a.spec.servers > 0 && b.spec.servers > 0;
  const auto a_servers = is_known ? a.spec.servers : 1;
  const auto b_servers = is_known ? b.spec.servers : 1;
  return std::uint64_t{a.outstanding} * b_servers
         < std::uint64_t{b.outstanding} * a_servers;
}

// -- facts -------------------------------------------------------------------

void replica_set::on_sent(replica_id who) {
  assert(who < all_.size());
  auto& x = all_[who];
  ++x.sent;
  ++x.outstanding;
  if (x.probe_chosen && !x.probe_sent && x.is_set_aside)
    x.probe_sent = x.probe_chosen;
  x.probe_chosen.reset();
}

void replica_set::push_back(replica_id who, time_point until) {
  assert(who < all_.size());
  auto& x = all_[who];
  x.pushed_back_until = std::max(x.pushed_back_until, until);
}

void replica_set::set_present(replica_id who, bool present) {
  assert(who < all_.size());
  all_[who].is_present = present;
}

// -- questions ---------------------------------------------------------------

std::size_t replica_set::size() const noexcept {
  return all_.size();
}

std::size_t replica_set::available(time_point now) const {
  std::size_t sound = 0;
  std::size_t due = 0;
  std::size_t others = 0;
  for (const auto& x : all_)
    if (!is_barred(now, x))
      ++(!x.is_set_aside ? sound : is_due(now, x) ? due : others);
  return sound + due > 0 ? sound + due : others;
}

std::uint32_t replica_set::servers() const noexcept {
  return servers_;
}

const replica_spec& replica_set::spec(replica_id who) const {
  assert(who < all_.size());
  return all_[who].spec;
}

replica_snapshot replica_set::snapshot(time_point now, replica_id who) const {
  assert(who < all_.size());
  const auto& x = all_[who];
  return {.name = x.spec.name,
          .outstanding = x.outstanding,
          .sent = x.sent,
          .answered = x.answered,
          .failed = x.failed,
          .times_set_aside = x.times_set_aside,
          .is_available = !x.is_set_aside && !is_barred(now, x),
          .is_set_aside = x.is_set_aside};
}

} // namespace coppice::policy

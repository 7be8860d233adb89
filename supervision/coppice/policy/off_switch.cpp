// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/off_switch.hpp"

#include <algorithm>

namespace coppice::policy {

off_switch::off_switch(const off_switch_spec& spec)
  : wins_min_(spec.wins_min),
    judged_by_(spec.judged_by),
    judged_by_while_off_(std::max<std::size_t>(10, spec.judged_by / 10)),
    probe_every_(spec.probe_every) {
  remember_at_most(judged_by_);
}

bool off_switch::allows_another() {
  if (!is_off_)
    return true;
  if (++asked_ < probe_every_)
    return false;
  asked_ = 0;
  return true;
}

void off_switch::learn(bool won) {
  if (known_ == won_.size())
    wins_ -= won_[next_] ? 1 : 0;
  else
    ++known_;
  won_[next_] = won;
  wins_ += won ? 1 : 0;
  next_ = (next_ + 1) % won_.size();
  if (known_ < won_.size())
    return;
  if (!is_off_ && win_rate() < wins_min_) {
    is_off_ = true;
    asked_ = 0;
    remember_at_most(judged_by_while_off_);
  } else if (is_off_ && win_rate() >= std::min(2 * wins_min_, 1.0)) {
    is_off_ = false;
    remember_at_most(judged_by_);
  }
}

double off_switch::win_rate() const noexcept {
  return known_ == 0 ? 0.0
                     : static_cast<double>(wins_) / static_cast<double>(known_);
}

void off_switch::remember_at_most(std::size_t size) {
  won_.assign(size, false);
  next_ = 0;
  known_ = 0;
  wins_ = 0;
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

// The checks of single steps.

#include "support/replication_checker.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace coppice::test {

using namespace policy;
using namespace std::chrono_literals;
using enum replication_fact::kind;

void replication_checker::check(const replication_step& x) {
  const auto found = requests_.find(x.copy.request);
  if (found == requests_.end())
    return object("speaks of a request that is not there");
  auto& of = found->second;
  switch (x.kind) {
    case step_kind::send:
      return check_send(x, of);
    case step_kind::cancel:
      return check_cancel(x, of);
    case step_kind::release:
      return check_release(x, of);
    case step_kind::answer:
      return check_answer(x, of);
    case step_kind::give_up:
      return check_give_up(x, of);
    case step_kind::forget:
      check_forget(x, of);
      requests_.erase(found);
      ++forgotten_;
      return;
  }
  object("does what there is no word for");
}

// -- sending -----------------------------------------------------------------

void replication_checker::check_send(const replication_step& x,
                                     seen_request& of) {
  expect(!of.has_ended, "sends a copy of what has ended");
  expect(x.copy.number == of.copies.size(), "numbers copies as it likes");
  expect(of.is_idempotent || of.copies.empty(), "copies what must not be");
  expect(!of.wants_no_more, "sends although nothing more is wanted");
  if (x.replica >= replicas_.size())
    return object("sends to nobody");
  check_target(x, of);
  check_domain(x, of);
  check_reason(x, of);
  charge_for(x, of);
  of.copies.push_back({.replica = x.replica, .why = x.why_sent, .sent = now_});
  check_bounds(of);
  has_sent_ = true;
  ++sent_;
}

void replication_checker::check_target(const replication_step& x,
                                       const seen_request& of) {
  expect(states_[x.replica].is_present, "sends to a replica that is gone");
  expect(states_[x.replica].silent_until <= now_
           || (x.why_sent == copy_reason::original && is_last_resort(of)),
         "sends to a replica that has pushed back");
  for (const auto& other : of.copies)
    expect(!other.is_out() || other.replica != x.replica,
           "sends two copies to one replica");
}

void replication_checker::check_domain(const replication_step& x,
                                       const seen_request& of) {
  bool with_one_out = false;
  bool with_any = false;
  for (const auto& other : of.copies)
    if (share_domain(replicas_[other.replica].domain,
                     replicas_[x.replica].domain)) {
      with_any = true;
      with_one_out = with_one_out || other.is_out();
    }
  expect(x.shares_domain || !with_one_out, "hides that copies share a domain");
  expect(!x.shares_domain || with_any, "sees a shared domain where none is");
  // What a quorum needs is sent, and flagged: else there would be no answer.
  expect(!with_one_out || spec_.shared_domain == shared_domain_rule::flag
           || x.why_sent == copy_reason::original,
         "sends two copies to one domain");
}

void replication_checker::check_reason(const replication_step& x,
                                       const seen_request& of) {
  const auto number = x.copy.number;
  const auto at_once = fact_.what == request;
  switch (x.why_sent) {
    case copy_reason::original:
      ++originals_;
      expect(at_once, "sends an original later");
      expect(number == 0
               || (spec_.mode == replication_mode::quorum
                   && number < spec_.quorum),
             "takes an extra copy for an original");
      break;
    case copy_reason::at_once:
      expect(at_once && number > 0 && number < spec_.copies,
             "sends other copies at once than the mode says");
      break;
    case copy_reason::late:
      ++late_;
      check_late(of);
      break;
    case copy_reason::failover:
      ++failovers_;
      expect(fact_.what == failed, "fails over without a failure");
      break;
  }
}

void replication_checker::check_late(const seen_request& of) {
  expect(fact_.what != request, "sends late copies at once");
  if (!spec_.hedge || of.copies.empty())
    return object("hedges where it should not");
  const auto& hedge = *spec_.hedge;
  const auto least = hedge.quantile ? hedge.floor.span() : hedge.delay.span();
  const auto is_overdue = [&](const seen_copy& x) {
    const auto from = hedge.trigger == hedge_trigger::after_send
                        ? std::optional{x.sent}
                        : x.started;
    return from && now_ >= saturating_add(*from, least);
  };
  expect(std::ranges::any_of(of.copies, is_overdue), "hedges too early");
  for (const auto& x : of.copies)
    expect(x.why != copy_reason::late || is_overdue(x) || !x.is_out(),
           "hedges a late copy too early");
}

void replication_checker::check_bounds(const seen_request& of) {
  const auto count = [&of](copy_reason why) {
    return std::ranges::count(of.copies, why, &seen_copy::why);
  };
  const auto late = count(copy_reason::late);
  expect(late <= extra_max(), "sends more late copies than allowed");
  const auto replacements
    = spec_.mode == replication_mode::tied ? std::ranges::count_if(
        of.copies, [](const auto& x) { return x.cancelled.has_value(); })
                                           : 0;
  expect(std::ssize(of.copies)
           <= replacements + std::ptrdiff_t{spec_.copies} + extra_max(),
         "sends more copies than allowed");
}

// The window is forgotten in tenths, so its last nine are sure to count.
void replication_checker::charge_for(const replication_step& x,
                                     seen_request& of) {
  if (x.why_sent == copy_reason::original)
    return;
  if (spec_.mode == replication_mode::tied) {
    if (x.why_sent == copy_reason::at_once)
      return;
    if (x.why_sent == copy_reason::failover && of.withdrawn > 0) {
      --of.withdrawn;
      return;
    }
  }
  const auto window = spec_.budget.window.span();
  while (!arrivals_.empty() && now_ - arrivals_.front() > window)
    arrivals_.pop_front();
  charges_.push_back({now_, x.copy});
  while (!charges_.empty() && now_ - charges_.front().at >= window / 10 * 9)
    charges_.pop_front();
  const auto may = share() * static_cast<double>(arrivals_.size())
                   + spec_.budget.reserve + 1e-6;
  expect(static_cast<double>(charges_.size()) <= may, "overspends its budget");
}

// -- the rest ----------------------------------------------------------------

void replication_checker::check_cancel(const replication_step& x,
                                       seen_request& of) {
  auto* copy = find(x.copy);
  if (copy == nullptr)
    return object("cancels a copy that is not there");
  expect(copy->replica == x.replica, "cancels at another replica");
  expect(!copy->cancelled, "cancels a copy twice");
  expect(!copy->has_reported(), "cancels what is over");
  if (!of.has_ended && spec_.mode == replication_mode::tied
      && fact_.what == started) {
    expect(of.holder && *of.holder != x.copy.number, "cancels the winner");
    expect(!copy->started, "withdraws a copy that has started");
    ++of.withdrawn;
  }
  copy->cancelled = now_;
}

void replication_checker::check_release(const replication_step& x,
                                        const seen_request&) {
  expect(spec_.mode == replication_mode::tied, "releases what is not tied");
  expect(to_release_ == x.copy, "releases what nobody holds");
  expect(!has_sent_, "releases after it has failed over");
  to_release_.reset();
}

void replication_checker::check_answer(const replication_step& x,
                                       seen_request& of) {
  expect(!of.has_ended, "answers twice");
  of.has_ended = true;
  to_release_.reset();
  ++answered_;
  const auto* copy = find(x.copy);
  if (copy == nullptr || !copy->has_answered)
    return object("answers with what nobody has said");
  if (spec_.mode != replication_mode::quorum || !of.is_idempotent)
    return;
  expect(is_enough(of), "answers without a quorum");
  if (spec_.quorum_agrees)
    expect(std::ranges::count_if(of.copies,
                                 [&](const auto& y) {
                                   return y.has_answered
                                          && y.equal_to == copy->equal_to;
                                 })
             >= std::ptrdiff_t{spec_.quorum},
           "answers with what few have said");
}

void replication_checker::check_give_up(const replication_step& x,
                                        seen_request& of) {
  expect(!of.has_ended, "answers twice");
  of.has_ended = true;
  to_release_.reset();
  ++given_up_;
  const auto is_own = fact_.copy.request == x.copy.request;
  switch (x.why_given_up) {
    case give_up_reason::all_failed:
      return expect(is_hopeless(of) && !of.copies.empty(),
                    "gives up while there is hope");
    case give_up_reason::no_agreement:
      return expect(spec_.quorum_agrees && is_hopeless(of),
                    "gives up while they may agree");
    case give_up_reason::fatal:
      return expect(fact_.what == failed && is_own && fact_.how.is_fatal,
                    "takes for fatal what is not");
    case give_up_reason::over:
      ++over_;
      return expect(fact_.what == over && is_own, "gives up too early");
    case give_up_reason::no_replica:
      return expect(fact_.what == request && lacks_replicas(of),
                    "sees no replica where there is one");
  }
}

void replication_checker::check_forget(const replication_step&,
                                       const seen_request& of) {
  expect(of.has_ended, "forgets what nobody has answered");
  for (const auto& copy : of.copies)
    if (!copy.has_reported())
      expect(copy.cancelled
               && now_ >= saturating_add(*copy.cancelled, core::silence_max),
             "forgets what is still to come");
}

} // namespace coppice::test

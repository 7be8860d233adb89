// This file is part of coppice. License: see LICENSE in the source root.

#include "support/replication_checker.hpp"

#include <algorithm>
#include <chrono>

namespace coppice::test {

using namespace policy;
using namespace std::chrono_literals;
using enum replication_fact::kind;

namespace {

/// The header's "at most a minute" for those that never report.
constexpr duration memory_max = 1min;

} // namespace

std::string to_string(const replication_fact& x) {
  static constexpr const char* names[] = {"request", "started", "answered",
                                          "failed",  "over",    "timer",
                                          "gone",    "back"};
  std::string result = names[static_cast<std::size_t>(x.what)];
  if (x.what == timer)
    return result;
  if (x.what == gone || x.what == back)
    return result + " " + std::to_string(x.replica);
  result += " #" + std::to_string(x.copy.request);
  if (x.what == started || x.what == answered || x.what == failed)
    result += "." + std::to_string(x.copy.number);
  if (x.what == answered && x.equal_to != x.copy.number)
    result += " as " + std::to_string(x.equal_to);
  if (x.what == request && !x.is_idempotent)
    result += " not idempotent";
  if (x.how.is_fatal)
    result += " fatal";
  if (x.how.is_unstarted)
    result += " unstarted";
  if (x.how.pushback)
    result += " pushback " + std::to_string(x.how.pushback->count()) + "ns";
  return result;
}

// -- what is seen of a request -----------------------------------------------

std::uint32_t seen_request::out() const {
  return static_cast<std::uint32_t>(
    std::ranges::count_if(copies, &seen_copy::is_out));
}

std::uint32_t seen_request::answers() const {
  return static_cast<std::uint32_t>(
    std::ranges::count_if(copies, &seen_copy::has_answered));
}

std::uint32_t seen_request::agreeing() const {
  std::int64_t most = 0;
  for (const auto& x : copies)
    if (x.has_answered)
      most = std::max(most, std::ranges::count_if(copies, [&](const auto& y) {
                        return y.has_answered && y.equal_to == x.equal_to;
                      }));
  return static_cast<std::uint32_t>(most);
}

bool seen_request::have_all_reported() const {
  return std::ranges::all_of(copies, &seen_copy::has_reported);
}

// -- facts -------------------------------------------------------------------

replication_checker::replication_checker(
  const replication_spec& spec, const std::vector<replica_spec>& replicas)
  : spec_(spec), replicas_(replicas), states_(replicas.size()) {}

void replication_checker::before(const fact& x, time_point now) {
  if (x.what != gone && x.what != back) // those are told without a time
    now_ = std::max(now_, now);
  fact_ = x;
  to_release_.reset();
  has_sent_ = false;
  was_request_new_ = x.what == request;
  is_news_ = x.what == timer || x.what == request;
  if (x.what == gone || x.what == back) {
    states_[x.replica].is_present = x.what == back;
    return;
  }
  if (x.what == request) {
    requests_[x.copy.request] = {.is_idempotent = x.is_idempotent};
    arrivals_.push_back(now_);
    ++asked_;
    return;
  }
  const auto found = requests_.find(x.copy.request);
  if (x.what == timer || found == requests_.end())
    return;
  if (x.what == over) {
    is_news_ = !found->second.has_ended;
    return;
  }
  auto* copy = find(x.copy);
  if (copy == nullptr || copy->has_reported())
    return;
  is_news_ = true;
  if (x.what == started) {
    note_start(found->second, *copy);
  } else if (x.what == answered) {
    copy->has_answered = true;
    copy->equal_to = x.equal_to;
  } else {
    note_failure(found->second, *copy);
  }
}

void replication_checker::note_start(seen_request& x, seen_copy& copy) {
  if (copy.started)
    is_news_ = false;
  else
    copy.started = now_;
  if (is_tied(copy) && copy.is_out() && !x.holder)
    x.holder = fact_.copy.number;
}

void replication_checker::note_failure(seen_request& x, seen_copy& copy) {
  copy.has_failed = true;
  if (x.holder == fact_.copy.number) {
    x.holder.reset();
    to_release_ = fact_.copy;
  }
  if (fact_.how.is_unstarted)
    std::erase_if(charges_,
                  [this](const auto& y) { return y.copy == fact_.copy; });
  if (!fact_.how.pushback)
    return;
  if (*fact_.how.pushback >= core::pushback_for_good)
    x.wants_no_more = true;
  auto& until = states_[copy.replica].silent_until;
  until = std::max(until, saturating_add(now_, *fact_.how.pushback));
}

seen_copy* replication_checker::find(copy_name who) {
  const auto found = requests_.find(who.request);
  if (found == requests_.end() || who.number >= found->second.copies.size())
    return nullptr;
  return &found->second.copies[who.number];
}

// -- between facts -----------------------------------------------------------

void replication_checker::after(const core::steps& steps, std::size_t size,
                                std::optional<time_point> next_due) {
  expect(steps.empty() || is_news_, "reacts to what is no news");
  for (const auto& x : steps)
    check(x);
  const auto about = requests_.find(fact_.copy.request);
  if (fact_.what != timer && about != requests_.end())
    check_request(about->second, next_due);
  if (fact_.what == timer) {
    expect(!next_due || *next_due > now_, "does not do what is due");
    for (const auto& [id, x] : requests_)
      check_request(x, next_due);
  }
  expect(size == requests_.size(), "miscounts what it remembers");
}

void replication_checker::check_request(const seen_request& x,
                                        std::optional<time_point> next_due) {
  expect(!was_request_new_ || !x.copies.empty() || x.has_ended,
         "does not send the original at once");
  if (x.has_ended) {
    expect(x.out() == 0, "leaves a copy running");
    expect(!x.have_all_reported(), "forgets to forget");
    expect(next_due && *next_due <= saturating_add(now_, memory_max),
           "remembers for ever");
    return;
  }
  expect(!is_enough(x), "does not answer although it could");
  expect(is_enough(x) || !is_hopeless(x), "waits for nothing");
  expect(!to_release_, "lets a dead copy keep the claim");
  if (spec_.mode == replication_mode::tied)
    check_tied(x);
  else
    expect(std::ranges::none_of(
             x.copies, [](const auto& y) { return y.cancelled.has_value(); }),
           "cancels what is needed");
}

void replication_checker::check_tied(const seen_request& x) {
  if (!x.holder)
    return;
  for (std::uint32_t i = 0; i < x.copies.size(); ++i)
    if (is_tied(x.copies[i]) && i != *x.holder)
      expect(!x.copies[i].is_out(), "lets others queue that have lost");
}

void replication_checker::at_end(const replication_snapshot& seen) {
  expect(requests_.empty(), "never comes to an end");
  expect(seen.requests == asked_, "miscounts requests");
  expect(seen.answered == answered_, "miscounts answers");
  expect(seen.failed == given_up_, "miscounts failures");
  expect(seen.over == over_, "miscounts those that are over");
  expect(seen.in_flight == 0, "miscounts those in flight");
  expect(seen.copies_sent == sent_, "miscounts copies");
  expect(seen.late_sent == late_, "miscounts late copies");
  expect(seen.failovers == failovers_, "miscounts failovers");
  expect(seen.extra_sent >= late_ + failovers_
           && seen.extra_sent <= sent_ - originals_,
         "miscounts extra copies");
  expect(seen.extra_won <= std::min(seen.extra_sent, answered_),
         "miscounts extra copies that won");
  for (const auto& x : seen.replicas)
    expect(x.outstanding == 0, "takes replicas for busy");
}

// -- the contract, in figures ------------------------------------------------

bool replication_checker::is_enough(const seen_request& x) const {
  if (spec_.mode != replication_mode::quorum)
    return std::ranges::any_of(x.copies, [](const auto& y) {
      return y.has_answered && !y.cancelled;
    });
  return (spec_.quorum_agrees ? x.agreeing() : x.answers())
         >= (x.is_idempotent ? spec_.quorum : 1);
}

bool replication_checker::is_hopeless(const seen_request& x) const {
  if (spec_.mode != replication_mode::quorum)
    return x.out() == 0;
  const auto have = spec_.quorum_agrees ? x.agreeing() : x.answers();
  return have + x.out() < (x.is_idempotent ? spec_.quorum : 1);
}

bool replication_checker::is_tied(const seen_copy& x) const {
  return spec_.mode == replication_mode::tied
         && (x.why == policy::copy_reason::original
             || x.why == policy::copy_reason::at_once);
}

bool replication_checker::lacks_replicas(const seen_request& x) const {
  const auto needed = std::max(1u, spec_.quorum);
  const auto there = std::ranges::count_if(states_, [&](const auto& y) {
    return y.is_present && (x.copies.empty() || y.silent_until <= now_);
  });
  return x.copies.size() < needed
         && (there < std::ptrdiff_t{needed}
             || (spec_.shared_domain == shared_domain_rule::refuse
                 && !x.copies.empty()));
}

bool replication_checker::is_last_resort(const seen_request& x) const {
  for (replica_id who = 0; who < states_.size(); ++who)
    if (states_[who].is_present && states_[who].silent_until <= now_
        && std::ranges::find(x.copies, who, &seen_copy::replica)
             == x.copies.end())
      return false;
  return true;
}

std::uint32_t replication_checker::extra_max() const {
  return spec_.hedge ? spec_.hedge->extra_max : 1;
}

double replication_checker::share() const {
  if (spec_.budget.share)
    return *spec_.budget.share;
  const auto at_once = spec_.mode == replication_mode::race ? spec_.copies - 1
                       : spec_.mode == replication_mode::quorum
                         ? spec_.copies - spec_.quorum
                         : 0;
  return at_once + 0.05;
}

void replication_checker::object(const std::string& what) {
  if (objection_.empty())
    objection_ = what;
}

void replication_checker::expect(bool holds, const char* otherwise) {
  if (!holds)
    object(otherwise);
}

} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

// Findings about one child, in its supervisor.

#include "coppice/policy/limits.hpp"
#include "coppice/policy/spec_check_finder.hpp"
#include "coppice/policy/spec_check_loops.hpp"

namespace coppice::policy {

namespace {

using enum finding_kind;
using enum finding_severity;

bool is_zero(const time_limit& x) {
  return x.is_finite() && x.span() == duration::zero();
}

bool never_waits(const backoff_spec& x) {
  return is_zero(x.first);
}

/// "11 x 11 x 11".
std::string factors(const checked_tree& tree, std::size_t at) {
  const auto& node = tree.nodes()[at];
  if (node.child == nullptr)
    return {};
  const auto above = factors(tree, node.parent);
  return above + (above.empty() ? "" : " x ")
         + to_string(sum(node.per_life, count_limit{1}));
}

} // namespace

void spec_check_finder::look_at_child() {
  look_at_stop();
  look_at_start();
  look_at_backoff();
  look_at_crash_loop();
  look_at_number_of_restarts();
  look_at_own_budget();
  look_at_heartbeat();
  look_at_unused();
}

// -- budgets and backoff -----------------------------------------------------

void spec_check_finder::look_at_own_budget() {
  const auto& own = child().limits;
  if (child().restart == temporary)
    return;
  if (own.restarts_max.is_infinite()) {
    if (child().on_exhausted != exhaustion_action::escalate)
      add(warning, setting_unused, ".on_exhausted",
          {to_string(child().on_exhausted),
           "the child's own budget, whose end this is about, has no limit",
           "set `limits` of the child, or `on_exhausted` of its supervisor"});
    return;
  }
  if (!node_->may_fail)
    return;
  const auto& all = parent().limits;
  const auto weight = cheapest(*node_, parent().weights);
  const auto ends = parent().on_exhausted == exhaustion_action::escalate
                    || parent().on_exhausted == exhaustion_action::stop_child;
  if (ends && affordable(own, weight).count() > affordable(all, weight).count()
      && !is_less(all.window, own.window))
    add(warning, limit_shadowed, ".limits",
        {brief(own),
         "the supervisor's budget of " + brief(all) + " is spent before",
         "choose a smaller `restarts_max` here, or a longer `window`"});
  else if (!may_spend_own_budget(*node_, parent()))
    add(warning, limit_never_triggers, ".limits",
        {brief(own),
         "its backoff (" + brief(child().backoff)
           + ") does not let so many failures into the window",
         "choose a `window` of more than "
           + in_words(longest_delays(child().backoff, affordable(own, weight)))
           + ", or a smaller `cap`"});
}

void spec_check_finder::look_at_crash_loop() {
  if (!node_->may_fail)
    return;
  const auto& loop = node_->alone;
  const auto& limits = parent().limits;
  if (loop.how == loop_end::free_of_charge && never_waits(child().backoff)) {
    add(error, restarts_without_end, ".backoff",
        {brief(child().backoff),
         "a crash loop has neither a delay nor a limit, and takes a processor",
         "set `backoff.first`, or a limit"});
  } else if (loop.how == loop_end::outlives_window
             && tree_.nodes()[node_->parent].charged.count()
                  > limits.restarts_max.count()) {
    const auto count = affordable(limits, cheapest(*node_, parent().weights));
    const auto span
      = sum(longest_delays(child().backoff, count),
            product(node_->supervisor != nullptr && node_->may_give_up
                      ? node_->gives_up_within
                      : time_limit{duration{0}},
                    count));
    add(warning, backoff_outlives_window, ".backoff",
        {brief(child().backoff),
         to_string(sum(count, count_limit{1})) + " failures of this child take "
           + in_words(span) + ", and the budget of " + brief(limits)
           + " has forgotten the first by then: a crash loop of it alone goes "
             "on for ever",
         "choose a `limits.window` of the supervisor of at least "
           + in_words(span)
           + ", a smaller `backoff.cap`, or limits of the child's own"});
  }
}

void spec_check_finder::look_at_number_of_restarts() {
  constexpr std::uint64_t worth_saying = 1'000;
  const auto above = tree_.nodes()[node_->parent].lives;
  if (node_->lives.is_infinite() || node_->lives.count() <= worth_saying
      || above.count() > worth_saying || node_->per_life.count() == 0)
    return;
  add(warning, restarts_multiply, "",
      {"up to " + to_string(node_->lives) + " lives",
       "budgets multiply from the root down: " + factors(tree_, at_)
         + " lives, before one crash loop ends the tree",
       "choose smaller limits in between: the further up, the less helps "
       "another restart"});
}

void spec_check_finder::look_at_backoff() {
  if (node_->may_fail && is_zero(child().backoff.reset_after)
      && !never_waits(child().backoff))
    add(warning, backoff_never_applies, ".backoff.reset_after",
        {"0s",
         "every life that became ready counts as healthy, so its restart does "
         "not wait; only failed starts do",
         "choose the shortest run that you would call healthy"});
}

// -- heartbeats --------------------------------------------------------------

void spec_check_finder::look_at_heartbeat() {
  const auto& x = child().heartbeat;
  const auto compare = [this](std::string_view field, const time_limit& limit) {
    if (is_less(limit, scan_interval_))
      add(error, heartbeat_below_scan, field,
          {to_string(limit),
           "the watchdog looks every " + to_string(scan_interval_)
             + ", and cannot tell a shorter silence from none",
           "choose at least the scan interval, better three times that, or "
           "scan more often"});
  };
  compare(".heartbeat.stall_timeout", x.stall_timeout);
  compare(".heartbeat.idle_timeout", x.idle_timeout);
  look_at_probes();
  look_at_detector();
  look_at_stalls();
}

void spec_check_finder::look_at_probes() {
  const auto& x = child().heartbeat;
  if (!x.probe_every.is_finite())
    return;
  if (!x.stall_timeout.is_finite())
    add(warning, probe_without_effect, ".heartbeat.probe_every",
        {to_string(x.probe_every),
         "`stall_timeout` judges a probe that is not answered, and is infinite",
         "set `stall_timeout`, or send no probes"});
  else if (!is_less(x.probe_every, x.idle_timeout))
    add(warning, probe_without_effect, ".heartbeat.probe_every",
        {to_string(x.probe_every),
         "an idle child is a stall after " + to_string(x.idle_timeout)
           + ", before it gets a probe",
         "probe at least twice within `idle_timeout`"});
}

void spec_check_finder::look_at_detector() {
  const auto& x = child().heartbeat;
  if (x.detector == detector_kind::fixed_timeout && x.phi != phi_spec{})
    add(note, setting_unused, ".heartbeat.phi",
        {"other values than the defaults",
         "`detector` is fixed_timeout, which does not look at them",
         "set `detector` to phi_accrual, or leave them out"});
  else if (x.detector == detector_kind::phi_accrual
           && !x.stall_timeout.is_finite() && !x.idle_timeout.is_finite())
    add(warning, setting_unused, ".heartbeat.detector",
        {"phi_accrual",
         "with both timeouts infinite there is no silence that it judges",
         "set `stall_timeout` as its upper bound"});
}

/// Stalls take time, each as long as its timeout.
void spec_check_finder::look_at_stalls() {
  const auto& limits = parent().limits;
  const auto& timeout = child().heartbeat.stall_timeout;
  const auto count = affordable(limits, parent().weights.stall);
  if (node_->supervisor != nullptr || !node_->may_fail || count.is_infinite()
      || !timeout.is_finite() || count.count() == 0
      || !is_less(limits.window, product(timeout, count)))
    return;
  add(note, stalls_never_escalate, ".heartbeat.stall_timeout",
      {to_string(timeout),
       "a child that hangs again and again is replaced for ever: the budget of "
         + brief(limits) + " has forgotten a stall before enough others come",
       "if that should end the supervisor, choose a `window` above "
         + in_words(product(timeout, count)) + ", or a weight for stalls"});
}

// -- stopping and starting ---------------------------------------------------

void spec_check_finder::look_at_stop() {
  if (node_->supervisor != nullptr) {
    look_at_stop_of_supervisor();
    return;
  }
  const auto grace = child().effective_shutdown();
  if (!grace.is_brutal() && !grace.limit().is_finite())
    add(warning, stop_unbounded, ".shutdown",
        {"infinity",
         "if it hangs, nobody kills it: restarts of its group wait for ever, "
         "and a stop of the tree until its deadline",
         "choose the longest time that an orderly end may take"});
  else if (!grace.is_brutal() && is_less(stop_within_, grace.limit()))
    add(warning, stop_exceeds_deadline, ".shutdown",
        {to_string(grace.limit()),
         "the whole tree gets " + to_string(stop_within_)
           + " to stop, and kills what is left shortly before",
         "choose a shorter grace, or more time for the tree"});
  if (is_zero(child().kill_grace))
    add(warning, abandoned_at_once, ".kill_grace",
        {"0s",
         "a life that does not end in the moment of the kill is abandoned, and "
         "counts towards the cap at which the tree gives up",
         "choose the longest time between two looks at its mailbox"});
}

void spec_check_finder::look_at_stop_of_supervisor() {
  const auto grace = child().effective_shutdown();
  const auto below = stop_time_of_children(tree_, at_);
  if (grace.is_brutal() && !inside().children.empty())
    add(warning, kill_without_order, ".shutdown",
        {"brutal_kill",
         "its children are killed with it, all at once, and nobody waits for "
         "them",
         "leave `shutdown` of a supervisor at infinity"});
  else if (!grace.is_brutal() && is_less(grace.limit(), below))
    add(warning, grace_below_children, ".shutdown",
        {to_string(grace.limit()),
         "its children may take " + in_words(below)
           + " to stop in order; what is left is killed and abandoned",
         "leave `shutdown` of a supervisor at infinity, or shorten theirs"});
}

void spec_check_finder::look_at_start() {
  const auto deadline = child().effective_start_deadline();
  if (node_->supervisor == nullptr) {
    if (!deadline.is_finite())
      add(warning, start_unbounded, ".start_deadline",
          {"infinity",
           "if it never becomes ready, those after it never start, and the "
           "tree neither comes up nor fails",
           "choose the longest time that a start may take"});
  } else if (const auto below = start_time_of_children(tree_, at_);
             is_less(deadline, below)) {
    add(warning, start_deadline_below_children, ".start_deadline",
        {to_string(deadline),
         "its children may take " + in_words(below)
           + ", one after another, each in time",
         "leave it at infinity: each of them has a deadline of its own"});
  }
}

// -- without effect ----------------------------------------------------------

void spec_check_finder::look_at_unused() {
  const auto& x = child();
  if (x.restart == temporary) {
    look_at_unused_by_temporary();
    return;
  }
  if (x.backoff.jitter != jitter_kind::proportional
      && x.backoff.jitter_ratio != backoff_spec{}.jitter_ratio)
    add(note, setting_unused, ".backoff.jitter_ratio",
        {"a jitter of kind " + std::string{to_string(x.backoff.jitter)},
         "only the proportional jitter looks at it", "leave it out"});
  for (std::size_t i = 0; i < x.on_failure.size(); ++i)
    if (const auto& rule = x.on_failure[i];
        rule.action == failure_action::restart
        && rule.failure_class != "permanent_failure")
      add(note, setting_unused, ".on_failure[" + std::to_string(i) + ']',
          {rule.failure_class + ": restart",
           "that is what is done about it anyway", "leave it out"});
  if (x.parking.messages_max == 0
      && x.parking.overflow != parking_spec{}.overflow)
    add(note, setting_unused, ".parking.overflow",
        {to_string(x.parking.overflow), "there is no room to overflow",
         "set `parking.messages_max`"});
}

void spec_check_finder::look_at_unused_by_temporary() {
  const auto say = [this](std::string_view field, std::string found) {
    add(note, setting_unused, field,
        {std::move(found), "a temporary child is never restarted",
         "leave it out, or choose another `restart`"});
  };
  if (child().backoff != backoff_spec{})
    say(".backoff", brief(child().backoff));
  if (child().limits != child_spec{}.limits)
    say(".limits", brief(child().limits));
  if (!child().on_failure.empty())
    say(".on_failure", std::to_string(child().on_failure.size()) + " rules");
}

} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

// Findings about the settings of one supervisor, and how findings are noted.

#include "coppice/policy/spec_check_finder.hpp"
#include "coppice/policy/spec_check_loops.hpp"
#include "coppice/policy/spec_section.hpp"

#include <algorithm>

namespace coppice::policy {

namespace {

using enum finding_kind;
using enum finding_severity;

} // namespace

std::string brief(const restart_limits& x) {
  if (x.restarts_max.is_infinite())
    return "no limit";
  return to_string(x.restarts_max) + " in " + to_string(x.window);
}

std::string brief(const backoff_spec& x) {
  return "first " + to_string(x.first) + ", factor " + text(x.factor) + ", cap "
         + to_string(x.cap);
}

std::string in_words(const time_limit& x) {
  return x.is_finite() ? in_words(x.span()) : "no time limit at all";
}

void spec_check_finder::look_at(std::size_t at) {
  at_ = at;
  node_ = &tree_.nodes()[at];
  if (node_->child == nullptr)
    look_at_whole_stop();
  else
    look_at_child();
  if (node_->supervisor != nullptr)
    look_at_supervisor();
}

void spec_check_finder::look_at_supervisor() {
  look_at_budget();
  look_at_weights();
  look_at_significance();
  look_at_room();
  look_at_unused_inside();
}

void spec_check_finder::look_at_whole_stop() {
  if (!is_less(stop_within_, node_->stop))
    return;
  add_inside(warning, stop_exceeds_deadline, "",
             {"stops within " + in_words(node_->stop) + " at worst",
              "the tree gets " + to_string(stop_within_)
                + " to stop; shortly before that, what is left is killed, and "
                  "then abandoned",
              "choose shorter graces, or more time for the tree"});
}

// -- budgets -----------------------------------------------------------------

void spec_check_finder::look_at_budget() {
  const auto& limits = inside().limits;
  auto some_fail = false;
  tree_.each_child(at_, [&](std::size_t i) {
    some_fail = some_fail || tree_.nodes()[i].may_fail;
  });
  if (limits.restarts_max.is_infinite()) {
    if (inside().on_exhausted != exhaustion_action::escalate)
      add_inside(warning, setting_unused, ".on_exhausted",
                 {to_string(inside().on_exhausted),
                  "the budget, whose end this is about, has no limit",
                  "set `limits.restarts_max`"});
    else if (some_fail && !node_->may_give_up)
      add_inside(note, restarts_cost_nothing, ".limits.restarts_max",
                 {"infinity", "no crash loop ever makes it give up",
                  "set a limit, unless that is what you want"});
  } else if (some_fail
             && node_->charged.count() <= limits.restarts_max.count()) {
    add_inside(warning, limit_never_triggers, ".limits",
               {brief(limits),
                "the backoff of its children lets at most "
                  + to_string(node_->charged)
                  + " failures into a window, so it never gives up",
                "choose a longer `window`, or shorter delays of the children"});
  }
}

void spec_check_finder::look_at_weights() {
  const auto& limits = inside().limits;
  const auto& weights = inside().weights;
  if (limits.restarts_max.is_infinite() || inside().children.empty())
    return;
  const auto say = [this](std::string_view field, std::uint32_t weight,
                          const char* what) {
    if (weight == 0)
      add_inside(warning, restarts_cost_nothing, field,
                 {"0",
                  std::string{"restarts after "} + what
                    + " cost nothing, so a loop of them goes on for ever",
                  "choose at least 1, unless that is what you want"});
  };
  say(".weights.crash", weights.crash, "crashes");
  say(".weights.stall", weights.stall, "stalls");
  say(".weights.start_failure", weights.start_failure, "failed starts");
  say(".weights.clean_end", weights.clean_end,
      "clean ends of permanent children");
}

// -- significance ------------------------------------------------------------

/// Workers can always finish; supervisors rarely do.
bool spec_check_finder::can_end_for_good(std::size_t at) const {
  const auto& node = tree_.nodes()[at];
  return node.supervisor == nullptr || shuts_down_by_itself(*node.supervisor)
         || (node.child->restart == temporary && node.may_give_up);
}

void spec_check_finder::look_at_significance() {
  const auto mode = inside().auto_shutdown;
  if (mode == auto_shutdown_mode::never)
    return;
  auto significant = 0u;
  auto able = 0u;
  tree_.each_child(at_, [&](std::size_t i) {
    if (!tree_.nodes()[i].child->significant)
      return;
    ++significant;
    able += can_end_for_good(i) ? 1u : 0u;
  });
  const auto is_reachable = mode == auto_shutdown_mode::any_significant
                              ? able > 0
                              : significant > 0 && able == significant;
  if (!is_reachable)
    add_inside(warning, shutdown_unreachable, ".auto_shutdown",
               {to_string(mode),
                significant == 0
                  ? "none of its children is significant"
                  : "a significant supervisor below has no way to end for good",
                significant == 0
                  ? "mark children as `significant`, or choose never"
                  : "give that supervisor an `auto_shutdown`, or mark workers "
                    "instead"});
}

// -- room, and what has no effect --------------------------------------------

void spec_check_finder::look_at_room() {
  const auto& x = inside();
  if (!is_pool(x) && x.children.empty())
    add_inside(note, no_children, ".children",
               {"none", "it has nothing to supervise until children are added",
                "add children, unless that happens at run time"});
  if (x.children_max.is_infinite())
    return;
  if (is_pool(x) && x.children_max.count() == 0)
    add_inside(warning, no_room, ".children_max",
               {"0", "no instance can ever be started",
                "choose the most instances that may run at a time"});
  else if (!is_pool(x) && x.children_max.count() == x.children.size())
    add_inside(note, no_room, ".children_max",
               {to_string(x.children_max),
                "`children` has so many, so none can be added at run time",
                "leave room, unless that is what you want"});
}

void spec_check_finder::look_at_unused_inside() {
  const auto& x = inside();
  const auto pauses = [](exhaustion_action action) {
    return action == exhaustion_action::pause;
  };
  const auto some_pause = pauses(x.on_exhausted)
                          || std::any_of(x.children.begin(), x.children.end(),
                                         [&](const child_spec& y) {
                                           return pauses(y.on_exhausted);
                                         });
  if (!some_pause && x.pause_length != supervisor_spec{}.pause_length)
    add_inside(note, setting_unused, ".pause_length",
               {to_string(x.pause_length),
                "no budget here ends with a pause (`on_exhausted`)",
                "leave it out, or set `on_exhausted` to pause"});
  if (x.revive == revive_mode::all && !restarts_in_groups(x))
    add_inside(note, setting_unused, ".revive",
               {"all",
                std::string{to_string(x.strategy)}
                  + " restarts no groups, so there is nobody to revive",
                "leave it out"});
}

// -- noting ------------------------------------------------------------------

void spec_check_finder::add(finding_severity severity, finding_kind kind,
                            std::string_view field, words what) {
  const auto key = std::to_string(node_->parent) + ' '
                   + std::to_string(static_cast<int>(kind)) + ' '
                   + std::string{field} + ' ' + what.found + ' ' + what.why;
  const auto [first, is_new] = first_.emplace(key, found_.size());
  if (is_new)
    found_.push_back({.severity = severity,
                      .kind = kind,
                      .field = tree_.field_of(at_) + std::string{field},
                      .found = std::move(what.found),
                      .why = std::move(what.why),
                      .advice = std::move(what.advice)});
  else
    ++found_[first->second].alike;
}

void spec_check_finder::add_inside(finding_severity severity, finding_kind kind,
                                   std::string_view field, words what) {
  found_.push_back({.severity = severity,
                    .kind = kind,
                    .field = tree_.settings_of(at_) + std::string{field},
                    .found = std::move(what.found),
                    .why = std::move(what.why),
                    .advice = std::move(what.advice)});
}

} // namespace coppice::policy

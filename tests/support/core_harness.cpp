// This file is part of coppice. License: see LICENSE in the source root.

// The world around the core: scripts, facts, time, and orders obeyed.

#include "support/core_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

namespace coppice::test {

using namespace policy;

namespace {

constexpr std::size_t steps_max = 1'000'000;
constexpr std::size_t checked_children_max = 64;

} // namespace

child worker(std::string id) {
  child result;
  result.id = std::move(id);
  result.start = [](start_context&) {};
  result.backoff = no_backoff;
  return result;
}

child inner_supervisor(std::string id) {
  child result;
  result.id = std::move(id);
  result.supervisor = supervisor_spec{};
  result.backoff = no_backoff;
  return result;
}

core_harness::core_harness(supervisor_spec spec, std::uint64_t seed)
  : core_(spec, seed) {
  EXPECT_EQ(to_string(validate(spec, "root")), "");
}

// -- scripts -----------------------------------------------------------------

void core_harness::script(const std::string& id,
                          std::vector<start_step> steps) {
  scripts_[id].assign(steps.begin(), steps.end());
}

void core_harness::always(const std::string& id, start_step step) {
  habits_[id] = step;
}

void core_harness::manners(const std::string& id, stop_manners x) {
  manners_[id] = x;
}

start_step core_harness::next_step(const std::string& id) {
  for (const auto& name : {id, std::string{anyone}})
    if (auto i = scripts_.find(name);
        i != scripts_.end() && !i->second.empty()) {
      const auto result = i->second.front();
      i->second.pop_front();
      return result;
    }
  for (const auto& name : {id, std::string{anyone}})
    if (auto i = habits_.find(name); i != habits_.end())
      return i->second;
  return start_ok;
}

stop_manners core_harness::manners_of(const std::string& id) const {
  for (const auto& name : {id, std::string{anyone}})
    if (auto i = manners_.find(name); i != manners_.end())
      return i->second;
  return {};
}

// -- facts -------------------------------------------------------------------

void core_harness::start() {
  obey(core_.on_start(now_));
  settle();
}

void core_harness::tell(const std::function<directives(time_point)>& fact) {
  obey(fact(now_));
  settle();
}

void core_harness::fact(const std::string& id,
                        const std::function<directives(life_id)>& tell_it) {
  obey(tell_it(life(id)));
  settle();
}

void core_harness::crash(const std::string& id,
                         std::string_view failure_class) {
  die(life(id), {end_cause::crash, failure_class});
  settle();
}

void core_harness::finish(const std::string& id) {
  die(life(id), {end_cause::clean_end});
  settle();
}

void core_harness::lose_node_of(const std::string& id) {
  die(life(id), {end_cause::node_loss, "node_lost"});
  settle();
}

void core_harness::reload(supervisor_spec spec) {
  EXPECT_EQ(to_string(validate(spec, "root")), "");
  EXPECT_EQ(to_string(core_.reload_defects(spec)), "");
  obey(core_.reload(std::move(spec), now_));
  settle();
}

void core_harness::stall(const std::string& id) {
  fact(id, [this](life_id x) { return core_.on_stalled(x, now_); });
}

void core_harness::report_healthy(const std::string& id) {
  fact(id, [this](life_id x) { return core_.on_healthy(x, now_); });
}

void core_harness::crash_together(std::initializer_list<const char*> ids) {
  for (const auto* id : ids) {
    const auto who = life(id);
    auto& record = living(who, "crash");
    record.alive = false;
    note("end", record);
    later(0s, [this, who] {
      lives_[who].known_dead = true;
      obey(core_.on_down(who, {end_cause::crash, "crash"}, now_));
    });
  }
  settle();
}

void core_harness::release(const std::string& id) {
  std::vector<life_id> stuck;
  for (const auto& [who, record] : lives_)
    if (record.id == id && record.alive)
      stuck.push_back(who);
  for (const auto who : stuck)
    die(who, {end_cause::crash, "killed"});
  settle();
}

// -- time --------------------------------------------------------------------

bool core_harness::step(time_point end) {
  const auto happens = agenda_.empty() ? time_point::max()
                                       : agenda_.begin()->first;
  const auto fires = due_.value_or(time_point::max());
  if (std::min(happens, fires) > end)
    return false;
  now_ = std::max(now_, std::min(happens, fires));
  if (happens <= fires) {
    const auto what = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    what();
  } else {
    due_.reset();
    obey(core_.on_timer(now_));
  }
  return true;
}

void core_harness::run_for(duration span) {
  const auto end = saturating_add(now_, span);
  std::size_t steps = 0;
  while (step(end))
    if (++steps > steps_max) {
      ADD_FAILURE() << "the core never comes to rest";
      return;
    }
  now_ = end;
}

void core_harness::oversleep(duration span) {
  now_ += span;
  settle();
}

// -- the core's orders -------------------------------------------------------

void core_harness::obey(const directives& todo) {
  for (const auto& order : todo) {
    if (end_ && !std::holds_alternative<report_event>(order)
        && !std::holds_alternative<answer_command>(order)
        && !std::holds_alternative<arm_timer>(order))
      ADD_FAILURE() << "after the end: " << to_string(order);
    std::visit([this](const auto& x) { obey_one(x); }, order);
  }
  if (end_)
    for (const auto& [asked, given] : answers_)
      if (!given)
        ADD_FAILURE() << "ended without an answer to " << asked;
  check_counts();
}

core_harness::life_record& core_harness::living(life_id life,
                                                const char* order) {
  auto& result = lives_[life];
  if (result.incarnation == 0)
    ADD_FAILURE() << order << ": there never was such a life";
  if (result.known_dead || result.abandoned)
    ADD_FAILURE() << order << ": " << result.id << " is history";
  return result;
}

void core_harness::obey_one(const start_life& x) {
  const auto life = x.life;
  const auto key = life.key;
  const auto id = core_.contains(key) ? core_.id_of(key) : std::string{"?"};
  names_[key] = id;
  if (const auto i = newest_.find(id); i != newest_.end()) {
    const auto& before = lives_[i->second];
    if (!before.known_dead && !before.abandoned)
      ADD_FAILURE() << "two lives at a time: " << id;
    if (before.incarnation >= x.incarnation)
      ADD_FAILURE() << "incarnation used twice: " << id;
  }
  if (lives_.contains(life))
    ADD_FAILURE() << "a life's name was used twice";
  newest_[id] = life;
  auto& record = lives_[life] = {.id = id, .incarnation = x.incarnation};
  const auto plan = next_step(id);
  const auto has_life = plan.what != start_step::kind::failed
                        && plan.what != start_step::kind::declined;
  record.alive = has_life;
  if (has_life)
    note("start", record);
  switch (plan.what) {
    case start_step::kind::ready:
      later(plan.after, [this, life] {
        if (!lives_[life].alive)
          return;
        note("ready", lives_[life]);
        obey(core_.on_ready(life, now_));
      });
      break;
    case start_step::kind::silent:
      break;
    case start_step::kind::dies:
      die_later(life, plan.after, plan.how);
      break;
    case start_step::kind::declined:
      note("decline", record);
      later(0s, [this, life] {
        lives_[life].known_dead = true;
        obey(core_.on_declined(life, now_));
      });
      break;
    case start_step::kind::failed:
      note("startfail", record);
      later(0s, [this, life, how = plan.how] {
        lives_[life].known_dead = true;
        obey(core_.on_start_failed(life, how, now_));
      });
      break;
  }
}

void core_harness::obey_one(const stop_life& x) {
  auto& record = living(x.life, "stop");
  note("stop", record);
  record.grace = x.grace;
  const auto how = manners_of(record.id);
  die_later(x.life, how.to_stop, how.how);
}

void core_harness::obey_one(const kill_life& x) {
  auto& record = living(x.life, "kill");
  note("kill", record);
  die_later(x.life, manners_of(record.id).to_kill,
            {end_cause::crash, "killed"});
}

void core_harness::obey_one(const abandon_life& x) {
  auto& record = living(x.life, "abandon");
  EXPECT_EQ(record.incarnation, x.incarnation);
  note("abandon", record);
  record.abandoned = true;
}

void core_harness::obey_one(const forget_child& x) {
  names_.erase(x.key);
}

void core_harness::obey_one(const adjust_child& x) {
  note("adjust", lives_[x.life]);
}

void core_harness::obey_one(const hand_down& x) {
  note("hand down", living(x.life, "hand down"));
}

void core_harness::obey_one(const arm_timer& x) {
  if (x.due == time_point::max())
    due_.reset();
  else
    due_ = x.due;
}

void core_harness::obey_one(const answer_command& x) {
  const auto i = answers_.find(x.token);
  if (i == answers_.end() || i->second) {
    ADD_FAILURE() << "answered twice, or never asked: " << x.token;
    return;
  }
  i->second = answer{x.result, x.life, now_};
}

void core_harness::obey_one(const report_event& x) {
  const auto life = lives_.find(x.life);
  const auto name = names_.find(x.life.key);
  std::string id = "?";
  if (life != lives_.end())
    id = life->second.id;
  else if (name != names_.end())
    id = name->second;
  else if (core_.contains(x.life.key))
    id = core_.id_of(x.life.key);
  events_.push_back({now_, id, x});
}

void core_harness::obey_one(const report_ready&) {
  EXPECT_FALSE(ready_) << "ready twice";
  ready_ = true;
}

void core_harness::obey_one(const end_supervisor& x) {
  for (const auto& [who, record] : lives_)
    if (!record.known_dead && !record.abandoned)
      ADD_FAILURE() << "left behind: " << record.id;
  EXPECT_FALSE(end_) << "ended twice";
  end_ = x;
  end_at_ = now_;
}

// -- the world's answers -----------------------------------------------------

void core_harness::later(duration after, happening what) {
  agenda_.emplace(saturating_add(now_, after), std::move(what));
}

void core_harness::die_later(life_id life, time_limit after, end_of_life how) {
  if (after.is_finite())
    later(after.span(), [this, life, how] {
      if (lives_[life].alive)
        die(life, how);
    });
}

void core_harness::die(life_id life, end_of_life how) {
  auto& record = lives_[life];
  if (!record.alive)
    ADD_FAILURE() << "the test kills the dead: " << record.id;
  record.alive = false;
  record.known_dead = true;
  note("end", record);
  obey(core_.on_down(life, how, now_));
}

void core_harness::note(std::string what, const life_record& life) {
  journal_.push_back({now_, std::move(what), life.id, life.incarnation});
}

/// K08: whatever happens, the counts are those of the listing.
void core_harness::check_counts() const {
  const auto counts = core_.counts();
  if (counts.supervisors + counts.workers > checked_children_max)
    return;
  child_counts seen;
  for (const auto& x : core_.listing(now_)) {
    seen.specs += core_.is_pool() ? 0u : 1u;
    seen.running += x.state == child_state::running ? 1u : 0u;
    (x.kind == child_kind::worker ? seen.workers : seen.supervisors) += 1;
    if (x.state != child_state::stopped && x.why != stopped_why::none)
      ADD_FAILURE() << x.id << " is not stopped, but says why";
    if (x.state == child_state::stopped && x.why == stopped_why::none)
      ADD_FAILURE() << x.id << " is stopped, but does not say why";
  }
  if (core_.is_pool())
    seen.specs = 1;
  EXPECT_EQ(counts.specs, seen.specs);
  EXPECT_EQ(counts.running, seen.running);
  EXPECT_EQ(counts.supervisors, seen.supervisors);
  EXPECT_EQ(counts.workers, seen.workers);
}

} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

#include "support/nested_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

namespace coppice::test {

using namespace policy;

namespace {

constexpr std::size_t steps_max = 1'000'000;

} // namespace

nested_world::nested_world(const supervisor_spec& spec, std::uint64_t seed)
  : seed_(seed) {
  EXPECT_EQ(to_string(validate(spec, "root")), "");
  add_place(spec, '/' + spec.name);
}

nested_world::place& nested_world::add_place(const supervisor_spec& spec,
                                             std::string path) {
  auto& result = places_.emplace_back();
  result.core = std::make_unique<supervision_core>(spec, seed_++);
  result.path = std::move(path);
  return result;
}

// -- what the test does ------------------------------------------------------

void nested_world::start() {
  auto& root = places_.front();
  first_starts_[root.path] = starts_[root.path] = 1;
  obey(root, root.core->on_start(now_));
  settle();
}

std::vector<std::string> nested_world::running() const {
  std::vector<std::string> paths;
  for (const auto& [path, life] : running_)
    paths.push_back(path);
  return paths;
}

bool nested_world::is_running(const std::string& path) const {
  return running_.contains(path);
}

void nested_world::end(const std::string& path, end_cause cause,
                       std::string_view failure_class) {
  const auto dead = running_.at(path);
  running_.erase(path);
  tell_end(*dead.where, dead.life, {cause, failure_class});
  settle();
}

void nested_world::stop(time_limit within) {
  auto& root = places_.front();
  obey(root, root.core->stop(0, within, now_));
  settle();
}

std::uint64_t nested_world::restarts(const std::string& path) const {
  const auto count = starts_.find(path);
  const auto first = first_starts_.find(path);
  return (count == starts_.end() ? 0 : count->second)
         - (first == first_starts_.end() ? 0 : first->second);
}

// -- time --------------------------------------------------------------------

void nested_world::later(place& where, duration after, happening what) {
  agenda_.emplace(saturating_add(now_, after),
                  [this, &where, what = std::move(what)] {
                    if (!where.is_over)
                      obey(where, what());
                  });
}

nested_world::place* nested_world::place_due() const {
  place* first = nullptr;
  for (const auto& x : places_)
    if (!x.is_over && x.due && (first == nullptr || *x.due < *first->due))
      first = const_cast<place*>(&x);
  return first;
}

/// News before timers, as they were there first.
bool nested_world::step() {
  if (!agenda_.empty() && agenda_.begin()->first <= now_) {
    const auto what = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    what();
    return true;
  }
  auto* const where = place_due();
  if (where == nullptr || *where->due > now_)
    return false;
  where->due.reset();
  obey(*where, where->core->on_timer(now_));
  return true;
}

void nested_world::settle() {
  for (std::size_t steps = 0; step();)
    if (++steps > steps_max) {
      ADD_FAILURE() << "the tree never comes to rest";
      return;
    }
}

bool nested_world::advance() {
  auto next = agenda_.empty() ? time_point::max() : agenda_.begin()->first;
  if (const auto* where = place_due())
    next = std::min(next, *where->due);
  if (next == time_point::max() || ended_)
    return false;
  now_ = std::max(now_, next);
  settle();
  return true;
}

void nested_world::advance_to_the_end() {
  for (std::size_t steps = 0; advance();)
    if (++steps > steps_max) {
      ADD_FAILURE() << "the tree never ends";
      return;
    }
}

// -- orders ------------------------------------------------------------------

std::string nested_world::path_of(const place& where, child_key key) const {
  return where.path + '/' + where.core->id_of(key);
}

/// Under which name its starts are counted.
std::string nested_world::count_of(const place& where,
                                   const std::string& path) const {
  return where.core->is_pool() ? where.path + "/*" : path;
}

void nested_world::obey(place& where, const directives& todo) {
  for (const auto& order : todo)
    std::visit([&](const auto& x) { obey_one(where, x); }, order);
}

void nested_world::obey_one(place& where, const start_life& x) {
  const auto path = path_of(where, x.life.key);
  const auto name = count_of(where, path);
  ++starts_[name];
  if (!where.core->is_pool())
    first_starts_[name] = 1;
  const auto& spec = where.core->spec_of(x.life.key);
  if (!spec.supervisor) {
    start_worker(where, x.life, path);
    return;
  }
  auto& inner = add_place(*spec.supervisor, path);
  inner.parent = &where;
  inner.life = x.life;
  where.inner[x.life.key] = &inner;
  later(inner, duration{0},
        [this, &inner] { return inner.core->on_start(now_); });
}

void nested_world::start_worker(place& where, life_id life,
                                const std::string& path) {
  if (start_fails && start_fails(path)) {
    later(where, duration{0}, [this, &where, life] {
      return where.core->on_start_failed(
        life, {end_cause::start_failure, "start_failure"}, now_);
    });
    return;
  }
  const auto after = starts_after ? starts_after(path) : duration{0};
  later(where, after, [this, &where, life, path]() -> directives {
    if (!where.core->is_current(life)
        || where.core->state_of(life.key) != child_state::starting)
      return {};
    running_.insert_or_assign(path, worker_life{&where, life});
    return where.core->on_ready(life, now_);
  });
}

void nested_world::obey_one(place& where, const stop_life& x) {
  if (const auto i = where.inner.find(x.life.key); i != where.inner.end()) {
    auto& inner = *i->second;
    later(inner, duration{0}, [this, &inner, grace = x.grace] {
      return inner.core->stop(0, grace, now_);
    });
    return;
  }
  const auto path = path_of(where, x.life.key);
  forget_worker(path, x.life);
  if (!ignores_stop || !ignores_stop(path))
    tell_end(where, x.life, {end_cause::clean_end});
}

void nested_world::obey_one(place& where, const kill_life& x) {
  if (const auto i = where.inner.find(x.life.key); i != where.inner.end()) {
    close(*i->second);
    tell_end(where, x.life, {end_cause::crash, "killed"});
    return;
  }
  const auto path = path_of(where, x.life.key);
  forget_worker(path, x.life);
  if (!ignores_kill || !ignores_kill(path))
    tell_end(where, x.life, {end_cause::crash, "killed"});
}

void nested_world::obey_one(place& where, const abandon_life& x) {
  if (const auto i = where.inner.find(x.life.key); i != where.inner.end())
    close(*i->second);
}

void nested_world::obey_one(place& where, const arm_timer& x) {
  where.due = x.due == time_point::max() ? std::nullopt : std::optional{x.due};
}

void nested_world::obey_one(place& where, const report_ready&) {
  if (where.parent == nullptr)
    ready_ = true;
  else
    later(*where.parent, duration{0}, [this, &where] {
      return where.parent->core->on_ready(where.life, now_);
    });
  if (!where.core->is_pool())
    return;
  for (std::uint64_t i = 0; i < instances; ++i)
    later(where, duration{0}, [this, &where] {
      ++first_starts_[where.path + "/*"];
      return where.core->start_instance(0, now_);
    });
}

void nested_world::obey_one(place& where, const end_supervisor& x) {
  close(where);
  const auto is_clean = x.reason == end_reason::stopped
                        || x.reason == end_reason::auto_shutdown;
  if (where.parent == nullptr)
    ended_ = true;
  else
    tell_end(*where.parent, where.life,
             is_clean ? end_of_life{end_cause::clean_end}
                      : end_of_life{end_cause::crash, "gave_up"});
}

void nested_world::tell_end(place& where, life_id life, end_of_life how) {
  if (const auto i = where.inner.find(life.key);
      i != where.inner.end() && i->second->life == life)
    where.inner.erase(i);
  later(where, duration{0}, [this, &where, life, how] {
    return where.core->on_down(life, how, now_);
  });
}

/// And all that is below it.
void nested_world::close(place& where) {
  where.is_over = true;
  for (auto& [key, inner] : where.inner)
    close(*inner);
  std::erase_if(running_,
                [&](const auto& x) { return x.second.where == &where; });
}

void nested_world::forget_worker(const std::string& path, life_id life) {
  if (const auto i = running_.find(path);
      i != running_.end() && i->second.life == life)
    running_.erase(i);
}

} // namespace coppice::test

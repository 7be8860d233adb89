// This file is part of coppice. License: see LICENSE in the source root.

// What arrives at a supervisor: facts for the core, and the end.

#include "coppice/supervisor.hpp"

#include "coppice/end_class.hpp"
#include "coppice/failure_convert.hpp"

#include <utility>

namespace coppice {

namespace {

/// The seed of one supervisor's jitter, from the tree's and its path.
std::uint64_t seed_for(std::uint64_t seed, const std::string& path) {
  std::uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
  for (const auto c : path)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return seed ^ hash;
}

} // namespace

supervisor_actor::supervisor_actor(caf::actor_config& cfg,
                                   std::shared_ptr<tree_context> tree,
                                   supervisor_spec spec, std::string path)
  : supervised_actor(cfg),
    tree_(std::move(tree)),
    own_path_(std::move(path)),
    core_(std::move(spec), seed_for(tree_->settings().seed, own_path_)) {
  defer_ready();
}

supervisor_actor::~supervisor_actor() = default;

bool supervisor_actor::is_root() const noexcept {
  return incarnation() == 0;
}

caf::behavior supervisor_actor::make_behavior() {
  link_ = std::make_shared<const supervisor_link>(
    supervisor_link{.supervisor = address(),
                    .path = own_path_,
                    .tree = tree_.get(),
                    .on_failing = [tree = std::weak_ptr{tree_}](
                                    const auto& path, const auto& life) {
                      if (const auto context = tree.lock())
                        if (const auto cell = context->find_cell(path))
                          compat::object_of<child_cell>(cell).detach(life);
                    }});
  owner_ = tree_->dog().add_owner([to = address()](const watch_notice& x) {
    if (auto self = caf::actor_cast<caf::strong_actor_ptr>(to))
      compat::post_urgent(self, watch_news{x});
  });
  core_.continue_from(tree_->take_incarnations(own_path_));
  obey(core_.on_start(now()));
  return compat::system_behavior(
    this, [this](caf::exit_msg& x) { on_exit_message(x); },
    [](caf::error&) {}, // an answer to something that we only told
    [this](const life_news& x) { on_life_news(x); },
    [this](const life_end& x) { on_life_end(x); },
    [this](const watch_news& x) { on_watch_news(x); },
    [this](const supervisor_command& x) { on_command(x); },
    [this](const reload_order& x) { on_reload_order(x); },
    [this](const stop_order& x) { obey(core_.stop(0, x.within, now())); },
    [this](const abandoned_cap_reached& x) { on_abandoned_cap(x); });
}

/// Runs however it ended, killed included: no child outlives it unwatched.
void supervisor_actor::on_exit() {
  tree_->dog().remove_owner(owner_);
  for (auto& child : slots_) {
    if (child.actor) {
      compat::post_urgent(
        child.actor,
        caf::exit_msg{address(), caf::make_error(caf::exit_reason::kill)});
    }
    life_is_gone(child);
  }
  for (const auto& [life, left] : abandoned_)
    tree_->dog().unwatch(left.beats);
  waiting_.clear(); // answers by itself
  if (!is_root())
    tree_->leave_incarnations(own_path_, core_.last_incarnations());
  else if (!has_ended_)
    root_was_killed();
}

void supervisor_actor::root_was_killed() {
  failure why{.failure_class = failure_classes::killed,
              .code = errc::killed,
              .message = own_path_ + " was killed",
              .where = here(own_path_)};
  publish_end(why);
  tree_->root_has_ended(std::move(why));
}

// -- facts -------------------------------------------------------------------

/// An orderly stop, if it comes from the parent, or from nobody
/// (`anon_send_exit`, which names the receiver as the source); a stranger's is
/// ignored. Kill never gets here.
void supervisor_actor::on_exit_message(caf::exit_msg& x) {
  if (x.source == nullptr || x.source == address() || is_parent(x.source)) {
    obey(core_.stop(0, infinity, now()));
    return;
  }
  supervision_event event;
  event.kind = event_kind::message_ignored;
  publish(std::move(event));
}

void supervisor_actor::on_life_news(const life_news& x) {
  switch (x.what) {
    case life_news_kind::ready:
      if (core_.is_current(x.life) && slot(x.life.key).start_has_failed)
        break; // it ends
      if (core_.is_current(x.life)
          && core_.state_of(x.life.key) == policy::child_state::starting)
        life_is_ready(x.life.key);
      obey(core_.on_ready(x.life, now()));
      break;
    case life_news_kind::declined:
      if (core_.is_current(x.life))
        life_is_gone(slot(x.life.key));
      obey(core_.on_declined(x.life, now()));
      break;
    case life_news_kind::start_failed: {
      std::string failure_class;
      if (core_.is_current(x.life)) {
        life_is_gone(slot(x.life.key));
        if (const auto why = last_failure(x.life.key))
          failure_class = why->failure_class;
      }
      obey(core_.on_start_failed(x.life,
                                 {.cause = policy::end_cause::start_failure,
                                  .failure_class = failure_class},
                                 now()));
      break;
    }
    case life_news_kind::healthy:
      obey(core_.on_healthy(x.life, now()));
      break;
    case life_news_kind::more_time:
      obey(core_.on_more_time(x.life, x.span, now()));
      break;
    case life_news_kind::beat:
      if (core_.is_current(x.life) && !slot(x.life.key).is_ours)
        tree_->dog().writer(slot(x.life.key).beats).beat();
  }
}

void supervisor_actor::life_is_ready(policy::child_key key) {
  auto& child = slot(key);
  const auto& spec = core_.spec_of(key);
  tree_->dog().watch(child.beats, owner_, child.life, spec.heartbeat,
                     spec.isolation == isolation_kind::shared, now());
  if (const auto cell = cell_of(key))
    compat::object_of<child_cell>(cell).attach(child.actor);
}

/// Drops the handle at once: a detached actor keeps its thread otherwise.
void supervisor_actor::life_is_gone(child_slot& child) {
  child.actor = nullptr;
  if (child.beats == no_slot)
    return;
  if (!child.is_ours)
    tree_->dog().release_writer(child.beats);
  tree_->dog().unwatch(std::exchange(child.beats, no_slot));
}

void supervisor_actor::on_life_end(const life_end& x) {
  if (abandoned_.contains(x.life))
    on_abandoned_end(x.life);
  std::string failure_class;
  policy::end_of_life how;
  caf::strong_actor_ptr dead; // freed when its replacement is on its way
  if (core_.is_current(x.life)) {
    dead = slot(x.life.key).actor;
    life_is_gone(slot(x.life.key));
    detach_cell(x.life.key);
    how = end_of(x, failure_class);
  }
  obey(core_.on_down(x.life, how, now()));
}

/// What the core is told about an end, and the failure that goes with it.
policy::end_of_life supervisor_actor::end_of(const life_end& x,
                                             std::string& failure_class) {
  const auto key = x.life.key;
  if (const auto why = slot(key).start_has_failed ? last_failure(key) : nullptr;
      why != nullptr) {
    failure_class = why->failure_class;
    return {.cause = policy::end_cause::start_failure,
            .failure_class = failure_class};
  }
  const auto state = core_.state_of(key);
  const auto how = classify(x.reason);
  const auto asked = state == policy::child_state::stopping;
  if (asked && how == end_class::killed)
    return {.cause = policy::end_cause::clean_end}; // we did it
  if (is_clean(how)) {
    if (state == policy::child_state::starting)
      note_failure(key,
                   failure{.failure_class = failure_classes::start_failure,
                           .code = errc::start_failed,
                           .message = "the child ended before it was ready",
                           .where = where_is(key)});
    return {.cause = policy::end_cause::clean_end};
  }
  failure_class = failure_class_of(x.reason, how);
  note_end(key, x.reason);
  return {.cause = how == end_class::node_lost ? policy::end_cause::node_loss
                                               : policy::end_cause::crash,
          .failure_class = failure_class};
}

void supervisor_actor::on_abandoned_end(policy::life_id life) {
  const auto left = abandoned_.extract(life).mapped();
  tree_->abandoned_life_ended(left.path, left.incarnation);
  if (!left.is_ours)
    tree_->dog().release_writer(left.beats);
  tree_->dog().unwatch(left.beats);
}

void supervisor_actor::on_watch_news(const watch_news& x) {
  const auto& notice = x.notice;
  switch (notice.what) {
    case watch_notice::kind::timer:
      if (notice.generation == timer_generation_)
        obey(core_.on_timer(now()));
      break;
    case watch_notice::kind::late:
      if (core_.is_current(notice.life))
        publish_beat_late(notice);
      break;
    case watch_notice::kind::stalled:
      if (core_.is_current(notice.life)
          && core_.state_of(notice.life.key) == policy::child_state::running) {
        note_failure(notice.life.key, stall_failure(notice));
        obey(core_.on_stalled(notice.life, now()));
      }
      break;
    case watch_notice::kind::probe_due:
      if (core_.is_current(notice.life))
        compat::post(caf::actor_cast<caf::actor>(slot(notice.life.key).actor),
                     probe_message{});
      break;
    default: // about the watchdog itself: the tree's business
      break;
  }
}

void supervisor_actor::on_abandoned_cap(const abandoned_cap_reached& x) {
  if (core_.is_ending())
    return;
  because_ = failure{
    .failure_class = "abandoned_cap",
    .code = errc::abandoned_cap,
    .message = std::to_string(x.count) + " lives would not end, at most "
               + std::to_string(tree_->settings().abandoned_max)
               + " are tolerated",
    .where = here(own_path_),
    .is_bug = true};
  publish_end(*because_);
  obey(core_.stop(0, std::chrono::seconds{1}, now()));
}

void supervisor_actor::on_command(const supervisor_command& x) {
  std::visit([this, &x](const auto& what) { run(what, x.ticket); }, x.what);
}

// -- plumbing ----------------------------------------------------------------

policy::time_point supervisor_actor::now() const {
  return tree_->now();
}

supervisor_actor::child_slot& supervisor_actor::slot(policy::child_key key) {
  while (key >= slots_.size())
    slots_.emplace_back();
  return slots_[key];
}

supervisor_actor::child_extras&
supervisor_actor::extras(policy::child_key key) {
  auto& child = slot(key);
  if (child.extras == nullptr)
    child.extras = std::make_unique<child_extras>();
  return *child.extras;
}

std::string supervisor_actor::path_of(policy::child_key key) const {
  return own_path_ + '/' + core_.id_of(key);
}

failure_where supervisor_actor::where_is(policy::child_key key) const {
  return here(path_of(key), core_.incarnation_of(key), "", 0, "");
}

/// Null unless somebody holds a reference to this child.
caf::actor supervisor_actor::cell_of(policy::child_key key) const {
  return tree_->has_cells() ? tree_->find_cell(path_of(key)) : caf::actor{};
}

void supervisor_actor::detach_cell(policy::child_key key) {
  if (const auto cell = cell_of(key))
    compat::object_of<child_cell>(cell).detach();
}

/// Whoever waits at a reference learns that there is nothing to wait for.
void supervisor_actor::close_cell(policy::child_key key,
                                  policy::stopped_why why) {
  // While this supervisor ends, its parent knows whether there is a next life.
  if (why == policy::stopped_why::by_group || core_.is_ending()) {
    detach_cell(key);
    return;
  }
  if (const auto cell = cell_of(key))
    compat::object_of<child_cell>(cell).close();
  if (core_.spec_of(key).supervisor)
    tree_->close_cells_below(path_of(key));
}

void supervisor_actor::publish(supervision_event event) {
  if (!tree_->events().is_observed())
    return;
  event.at = now();
  if (event.path.empty()) {
    event.path = own_path_;
    event.incarnation = incarnation();
  }
  tree_->events().publish(std::move(event));
}

/// Of the root, for a reason that is no child's.
void supervisor_actor::publish_end(const failure& why) {
  supervision_event event;
  event.kind = event_kind::gave_up;
  event.because = std::make_shared<const failure>(why);
  publish(std::move(event));
}

void supervisor_actor::publish_beat_late(const watch_notice& notice) {
  supervision_event event;
  event.kind = event_kind::beat_late;
  event.path = path_of(notice.life.key);
  event.incarnation = core_.incarnation_of(notice.life.key);
  event.span = notice.age;
  event.suspicion = notice.suspicion;
  publish(std::move(event));
}

void supervisor_actor::tell_self(life_news news) {
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(this), news);
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_life.hpp"

#include "coppice/actors/process_host.hpp"
#include "coppice/failure_convert.hpp"

#include <caf/actor_registry.hpp>

#include <utility>

namespace coppice {

/// Keeps the actor until the process is gone.
class process_life::listener : public process_listener {
public:
  explicit listener(process_life& life)
    : life_(life), self_(caf::actor_cast<caf::strong_actor_ptr>(&life)) {
    life.home_system().registry().inc_running();
  }
  ~listener() override {
    // The system may be gone in the moment in which it counts one less.
    auto& registry = life_.home_system().registry();
    self_ = nullptr;
    registry.dec_running();
  }

  void is_ready() override {
    life_.tell({life_.ticket_.life, life_news_kind::ready});
  }
  void has_beaten(const char* note) override { life_.has_beaten(note); }
  void wants_time(policy::duration span) override { life_.wants_time(span); }
  void has_ended(process_end how) override { life_.has_ended(how); }

private:
  process_life& life_;
  caf::strong_actor_ptr self_;
};

process_life::process_life(caf::actor_config& cfg,
                           std::shared_ptr<const process_options> options)
  : compat::redirecting_actor(cfg), options_(std::move(options)) {
  if (auto* ticket = ticket_scope::current()) {
    ticket->taken = true;
    ticket_ = *ticket;
    beats_ = ticket->beats;
  }
}

process_life::~process_life() {
  beats_.release();
}

void process_life::begin(const void* place) {
  auto& host = process_host::instance();
  // A reload makes other options; the place stays the same.
  if (ticket_.link != nullptr)
    place = ticket_.link->tree;
  run_ = std::make_shared<process_run>(
    host, options_, process_run::place_name{place, where().path},
    std::make_unique<listener>(*this));
  host.begin(run_);
}

failure_where process_life::where() const {
  return here(ticket_.link != nullptr ? ticket_.path() : std::string{},
              ticket_.incarnation, "", 0, "");
}

process_status process_life::status() const {
  return run_ != nullptr ? run_->status() : process_status{};
}

void process_life::testify(failure& why) const {
  add_evidence(why, status(), *options_);
}

void process_life::redirect(caf::mailbox_element_ptr x, compat::host_type*) {
  if (compat::holds<caf::exit_msg>(*x))
    obey(compat::content_of(*x).get_as<caf::exit_msg>(0));
  else
    compat::refuse(x->sender, x->mid,
                   caf::make_error(caf::sec::unexpected_message));
}

void process_life::obey(const caf::exit_msg& x) {
  if (run_ == nullptr) { // it could not even begin
    cleanup(caf::error{x.reason}, nullptr);
    return;
  }
  const auto how = classify(x.reason);
  if (how == end_class::killed)
    process_host::instance().kill(run_);
  else if (how != end_class::normal) // that a linked actor is done is no news
    process_host::instance().stop(run_);
}

void process_life::tell(life_news news) {
  if (ticket_.link != nullptr)
    tell_supervisor(*ticket_.link, news);
}

void process_life::has_beaten(const char* note) {
  std::lock_guard guard{beats_mutex_};
  beats_.beat(note);
}

void process_life::wants_time(policy::duration span) {
  tell({ticket_.life, life_news_kind::more_time, span});
  std::lock_guard guard{beats_mutex_};
  beats_.extend(span);
}

caf::error process_life::reason_of(const process_end& how) const {
  if (is_clean(how, *options_))
    return caf::make_error(how.was_asked ? caf::exit_reason::user_shutdown
                                         : caf::exit_reason::normal);
  const auto by_us = how.what == process_end::kind::never_begun
                     || (how.what == process_end::kind::signalled
                         && how.code == SIGKILL);
  if (how.was_killed && by_us)
    return caf::make_error(caf::exit_reason::kill);
  return to_error(failure_of(how, *options_, where()));
}

/// On the thread of the host. Whoever holds a reference to the child lets go of
/// it before anybody hears of the failure.
void process_life::has_ended(const process_end& how) {
  {
    std::lock_guard guard{beats_mutex_};
    beats_.release();
  }
  auto reason = reason_of(how);
  if (const auto& link = ticket_.link;
      link != nullptr && link->on_failing && !coppice::is_clean(reason))
    link->on_failing(ticket_.path(),
                     caf::actor_cast<caf::strong_actor_ptr>(this));
  cleanup(std::move(reason), nullptr);
}

} // namespace coppice

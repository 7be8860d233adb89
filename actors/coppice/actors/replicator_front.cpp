// This file is part of coppice. License: see LICENSE in the source root.

// Requests and answers. replicator_front_steps.cpp has what the core wants.

#include "coppice/actors/replicator_front.hpp"

#include "coppice/actors/redirection.hpp"
#include "coppice/actors/replicator_alarm.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/request_handler.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace coppice {

namespace {

/// The context that `content` begins with, or null.
const context* context_in(const caf::message& content) {
  if (content.empty() || !content.match_element<context>(0))
    return nullptr;
  return &content.get_as<context>(0);
}

std::vector<replica_spec> specs_of(const std::vector<replica>& replicas) {
  std::vector<replica_spec> result;
  result.reserve(replicas.size());
  for (const auto& x : replicas)
    result.push_back(x.about);
  return result;
}

} // namespace

replicator_front::replicator_front(caf::actor_config& cfg,
                                   const replicator_options& options)
  : compat::redirecting_actor(cfg),
    name_(options.name),
    clock_(options.clock != nullptr ? options.clock
                                    : deadline_clock::current()),
    options_(options),
    core_(options.policy, specs_of(options.replicas),
          options.seed ? *options.seed : fresh_seed()),
    present_(options.replicas.size(), true) {}

replicator_front::~replicator_front() {
  if (alarm_ != nullptr)
    clock_->disarm(*alarm_);
}

// -- messages ----------------------------------------------------------------

void replicator_front::redirect(caf::mailbox_element_ptr x,
                                compat::host_type* host) {
  if (x->mid.is_response())
    on_answer(std::move(x), host);
  else if (!is_work(*x) || (!x->mid.is_request() && obey_recall(*x)))
    return;
  else if (x->mid.is_request())
    on_request(std::move(x), host);
  else
    on_one_way(std::move(x), host);
}

void replicator_front::on_request(caf::mailbox_element_ptr x,
                                  compat::host_type* host) {
  auto content = compat::take_content(*x);
  const auto* in_content = context_in(content);
  const auto ctx = in_content != nullptr ? *in_content : context{};
  if (in_content != nullptr && ctx.is_over())
    return compat::refuse(x->sender, x->mid, to_error(ctx.why_over()));
  const auto idempotent = is_idempotent(in_content, content);
  replicator_outbox out;
  std::uint64_t id = 0;
  {
    const std::lock_guard guard{mutex_};
    if (is_stopped_) {
      ++counts_.refused_stopped;
      out.refuse(std::move(x->sender), x->mid, to_error(stopped(ctx, name_)));
    } else if (is_full()) {
      out.refuse(std::move(x->sender), x->mid, to_error(too_many(ctx, name_)));
    } else if (!idempotent && options_.unmarked == unmarked_requests::refuse) {
      ++counts_.not_idempotent;
      out.refuse(std::move(x->sender), x->mid,
                 to_error(not_idempotent(ctx, name_)));
    } else {
      const auto place = accept(*x, std::move(content), ctx, idempotent);
      id = id_of(place);
      core_.on_request(now(), id, idempotent, steps_);
      take(out);
    }
  }
  out.flush(host);
  if (id != 0 && !ctx.empty())
    watch(ctx, id, idempotent);
}

/// Nobody will answer it, so there is nothing to race for.
void replicator_front::on_one_way(caf::mailbox_element_ptr x,
                                  compat::host_type* host) {
  caf::strong_actor_ptr to;
  {
    const std::lock_guard guard{mutex_};
    const auto count = present_.size();
    ++counts_.one_way;
    for (std::size_t i = 0; i < count && !to && !is_stopped_; ++i) {
      next_one_way_ = (next_one_way_ + 1) % count;
      if (present_[next_one_way_])
        to = caf::actor_cast<caf::strong_actor_ptr>(
          options_.replicas[next_one_way_].handle);
    }
  }
  if (to)
    compat::hand_over(to, std::move(x), host);
}

void replicator_front::on_answer(caf::mailbox_element_ptr x,
                                 compat::host_type* host) {
  const auto name = copy_of(x->mid.request_id().integer_value());
  const auto is_error = compat::holds<caf::error>(*x);
  if (is_error
      && on_drop(name, {.is_unstarted
                        = compat::is_code(x->content().get_as<caf::error>(0),
                                          errc::cancelled)}))
    return;
  caf::error error;
  std::optional<failure> why;
  policy::copy_failure how;
  if (is_error) {
    error = compat::take_content(*x).get_as<caf::error>(0);
    why = from_error(error);
    how = judge(*why);
  }
  replicator_outbox out;
  {
    const std::lock_guard guard{mutex_};
    auto* copy = find(name);
    if (copy == nullptr || copy->has_reported) {
      ++counts_.stray_answers;
      out.drop(std::move(x));
    } else if (is_error) {
      copy->has_reported = true;
      copy->why = std::move(why);
      copy->error = std::move(error);
      find(name.request)->last_failed = name.number;
      core_.on_failed(now(), name, how, steps_);
    } else {
      copy->has_reported = true;
      copy->answer = std::move(x);
      copy->equal_to = first_equal(*find(name.request), name.number);
      core_.on_answered(now(), name, copy->equal_to, steps_);
    }
    take(out);
  }
  out.flush(host);
}

/// Nobody cares what a copy says that was called off; only that it has ended.
/// @returns false, and does nothing, if it was not.
bool replicator_front::on_drop(policy::copy_name name,
                               const policy::copy_failure& how) {
  replicator_outbox out;
  {
    const std::lock_guard guard{mutex_};
    auto* copy = find(name);
    if (copy == nullptr || !copy->is_cancelled || copy->has_reported)
      return false;
    copy->has_reported = true;
    core_.on_failed(now(), name, how, steps_);
    take(out);
  }
  out.flush(nullptr);
  return true;
}

/// A worker begins with a copy: that is where delays of hedges count from.
void replicator_front::on_begin(std::uint64_t id, std::uint32_t number) {
  replicator_outbox out;
  {
    const std::lock_guard guard{mutex_};
    core_.on_started(now(), {id, number}, steps_);
    take(out);
  }
  out.flush(nullptr);
}

/// The request is over, unless only this copy was called off.
void replicator_front::on_copy_over(policy::copy_name name) {
  {
    const std::lock_guard guard{mutex_};
    const auto* copy = find(name);
    if (copy == nullptr || copy->is_cancelled)
      return;
  }
  on_over(name.request);
}

/// Called by the context of a request once it is over.
void replicator_front::on_over(std::uint64_t id) {
  replicator_outbox out;
  {
    const std::lock_guard guard{mutex_};
    core_.on_over(now(), id, steps_);
    take(out);
  }
  out.flush(nullptr);
}

void replicator_front::on_alarm() {
  replicator_outbox out;
  {
    const std::lock_guard guard{mutex_};
    alarm_due_ = time_point::max();
    core_.on_timer(now(), steps_);
    take(out);
  }
  out.flush(nullptr);
}

/// Not under the lock: a context that is over calls at once. If the clock has
/// no thread, and can get none, the copies still find that they are over.
/// @param has_tie  Then the contexts of the copies tell what comes from now on.
void replicator_front::watch(const context& ctx, std::uint64_t id,
                             bool has_tie) {
  if (has_tie) {
    if (ctx.cancelled())
      on_over(id);
    return;
  }
  cancel_registration registration;
  try {
    registration
      = ctx.on_cancel([self = caf::actor_cast<caf::actor_addr>(this), id] {
          if (const auto front = caf::actor_cast<caf::actor>(self))
            compat::object_of<replicator_front>(front).on_over(id);
        });
  } catch (const std::system_error&) {
    return;
  }
  const std::lock_guard guard{mutex_};
  if (auto* x = find(id); x != nullptr && !x->is_answered)
    x->registration = std::move(registration);
}

// -- judgements --------------------------------------------------------------

bool replicator_front::is_idempotent(const context* ctx,
                                     const caf::message& content) {
  if (ctx == nullptr || ctx->is_idempotent() || !options_.is_idempotent)
    return ctx != nullptr && ctx->is_idempotent();
  try {
    return options_.is_idempotent(content);
  } catch (...) {
    const std::lock_guard guard{mutex_};
    ++counts_.callback_failures;
    return false;
  }
}

policy::copy_failure replicator_front::judge(const failure& x) {
  policy::copy_failure result;
  const auto code = to_errc(x);
  result.is_unstarted = code == errc::overloaded || code == errc::cannot_finish
                        || code == errc::cancelled
                        || code == errc::deadline_exceeded
                        || code == errc::shutting_down;
  // Others, such as a worker that crashed, say nothing about the next one.
  if (code == errc::overloaded || code == errc::shutting_down)
    result.pushback = x.retry_after;
  try {
    result.is_fatal = options_.is_fatal ? options_.is_fatal(x)
                                        : is_fatal_by_default(x);
  } catch (...) {
    const std::lock_guard guard{mutex_};
    ++counts_.callback_failures;
  }
  return result;
}

// -- what its user asks ------------------------------------------------------

bool replicator_front::set_present(std::string_view replica, bool present) {
  const auto& all = options_.replicas;
  const auto which = std::find_if(all.begin(), all.end(), [&](const auto& x) {
    return x.about.name == replica;
  });
  if (which == all.end())
    return false;
  const auto number = which - all.begin();
  const std::lock_guard guard{mutex_};
  present_[static_cast<std::size_t>(number)] = present;
  core_.set_present(static_cast<policy::replica_id>(number), present);
  return true;
}

void replicator_front::stop() {
  replicator_outbox out;
  {
    const std::lock_guard guard{mutex_};
    is_stopped_ = true;
    for (slot i = 0; i < requests_.size(); ++i)
      if (requests_[i].is_known && !requests_[i].is_answered)
        core_.on_over(now(), id_of(i), steps_);
    take(out);
  }
  out.flush(nullptr);
}

replicator_statistics replicator_front::statistics() {
  const std::lock_guard guard{mutex_};
  auto result = counts_;
  result.core = core_.snapshot(now());
  return result;
}

} // namespace coppice

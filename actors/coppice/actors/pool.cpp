// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/pool.hpp"

#include "coppice/actors/pool_front.hpp"
#include "coppice/actors/pool_plan.hpp"

#include <utility>

namespace coppice {

namespace {

pool_front& object_of(const caf::actor& front) {
  return compat::object_of<pool_front>(front);
}

pool_options checked(pool_options options) {
  const auto defects = validate(options, options.name);
  if (!defects.empty())
    throw failure_error{{.failure_class = to_string(errc::invalid_spec),
                         .code = errc::invalid_spec,
                         .message = to_string(defects)}};
  return options;
}

/// The user's start function; the front follows the life.
start_function followed(caf::actor front, policy::member_id number,
                        start_function start) {
  return [=](start_context& context) {
    const auto life = object_of(front).life_begins(number);
    context.listen(
      [=](life_news_kind what) {
        if (what == life_news_kind::ready)
          object_of(front).life_is_ready(number, life);
      },
      [=] { object_of(front).life_fails(number, life); });
    start(context);
    if (!context.child())
      return;
    object_of(front).life_is(number, life, context.child(), context.beats());
    compat::at_end_of(context.child(), [=](const caf::error& why) {
      object_of(front).life_ends(number, life, why);
    });
    if (!context.will_say_ready())
      object_of(front).life_is_ready(number, life);
  };
}

} // namespace

std::string id_of_pool_member(policy::member_id number) {
  return "worker-" + std::to_string(number);
}

child_spec worker_pool::plan::member(policy::member_id number) const {
  auto result = options.worker;
  result.id = id_of_pool_member(number);
  result.start = followed(front_, number, std::move(result.start));
  return result;
}

worker_pool::worker_pool(caf::actor_system& system, pool_options options) {
  options = checked(std::move(options));
  front_ = compat::make_redirecting<pool_front>(system, options);
  plan_ = std::make_shared<plan>(front_, std::move(options));
}

worker_pool& worker_pool::operator=(worker_pool&& x) noexcept {
  if (this != &x) {
    if (front_)
      stop();
    front_ = std::move(x.front_);
    plan_ = std::move(x.plan_);
  }
  return *this;
}

worker_pool::~worker_pool() {
  if (front_)
    stop();
}

child_spec worker_pool::child(std::string id) const {
  supervisor_spec inner{.name = id, .limits = plan_->options.limits};
  for (policy::member_id i = 1; i <= plan_->options.workers; ++i)
    inner.children.push_back(plan_->member(i));
  return {.id = std::move(id), .supervisor = std::move(inner)};
}

void worker_pool::drain(std::function<void()> when_done) const {
  object_of(front_).drain(std::move(when_done));
}

std::future<void> worker_pool::drain() const {
  auto promise = std::make_shared<std::promise<void>>();
  drain([promise] { promise->set_value(); });
  return promise->get_future();
}

void worker_pool::stop() const {
  object_of(front_).stop();
}

pool_statistics worker_pool::statistics() const {
  return object_of(front_).statistics();
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "support/fact.hpp"

namespace coppice::test {

namespace {

policy::directives tell_command(policy::supervision_core& core, const fact& x,
                                policy::time_point now) {
  switch (x.kind) {
    case fact_kind::add:
      return core.start_child(x.token, *x.spec, now);
    case fact_kind::add_instance:
      return core.start_instance(x.token, now);
    case fact_kind::terminate:
      return core.terminate_child(x.token, x.key, now);
    case fact_kind::restart:
      return core.restart_child(x.token, x.key, now);
    case fact_kind::remove:
      return core.delete_child(x.token, x.key, now);
    case fact_kind::retry_now:
      return core.retry_now(x.token, x.key, now);
    default:
      return core.stop(x.token, x.within, now);
  }
}

const char* name_of(fact_kind x) {
  constexpr const char* names[]
    = {"start",        "timer",  "ready",        "declined",
       "start_failed", "down",   "stalled",      "healthy",
       "reload",       "add",    "add_instance", "terminate",
       "restart",      "remove", "retry_now",    "stop"};
  return names[static_cast<std::size_t>(x)];
}

} // namespace

policy::directives tell(policy::supervision_core& core, const fact& x,
                        policy::time_point now) {
  switch (x.kind) {
    case fact_kind::start:
      return core.on_start(now);
    case fact_kind::timer:
      return core.on_timer(now);
    case fact_kind::ready:
      return core.on_ready(x.life, now);
    case fact_kind::declined:
      return core.on_declined(x.life, now);
    case fact_kind::start_failed:
      return core.on_start_failed(x.life, x.how, now);
    case fact_kind::down:
      return core.on_down(x.life, x.how, now);
    case fact_kind::stalled:
      return core.on_stalled(x.life, now);
    case fact_kind::healthy:
      return core.on_healthy(x.life, now);
    case fact_kind::reload:
      return core.reload(*x.next, now);
    default:
      return tell_command(core, x, now);
  }
}

std::string to_string(const fact& x) {
  std::string text = name_of(x.kind);
  if (x.is_about_life())
    text += ' ' + std::to_string(x.life.key) + '#'
            + std::to_string(x.life.generation);
  if (x.is_end())
    text += ' ' + std::string{policy::to_string(x.how.cause)} + ' '
            + std::string{x.how.failure_class};
  if (x.next != nullptr)
    text += std::string{' '} + policy::to_string(x.next->strategy);
  if (x.next != nullptr)
    for (const auto& child : x.next->children)
      text += ' ' + child.id + '/' + policy::to_string(child.restart);
  if (!x.is_command())
    return text;
  text += " token=" + std::to_string(x.token);
  if (x.key != policy::no_child)
    text += " key=" + std::to_string(x.key);
  if (x.spec != nullptr)
    text += " id=" + x.spec->id;
  if (x.kind == fact_kind::stop)
    text += " within=" + policy::to_string(x.within);
  return text;
}

} // namespace coppice::test

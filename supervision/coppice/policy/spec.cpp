// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec.hpp"

#include "coppice/policy/limits.hpp"

#include <utility>

namespace coppice::policy {

namespace {

/// For integers that were cast to an enumeration; validation refuses them.
constexpr const char* no_such_enumerator = "unknown";

} // namespace

nested_supervisor::nested_supervisor(supervisor_spec spec)
  : spec_(std::make_shared<const supervisor_spec>(std::move(spec))) {}

stop_grace child_spec::effective_shutdown() const noexcept {
  if (shutdown)
    return *shutdown;
  return kind() == child_kind::supervisor ? stop_grace{infinity} : stop_grace{};
}

time_limit child_spec::effective_start_deadline() const noexcept {
  if (start_deadline)
    return *start_deadline;
  return kind() == child_kind::supervisor
           ? time_limit{infinity}
           : time_limit{limits::start_deadline_default};
}

const char* to_string(restart_type x) noexcept {
  switch (x) {
    case permanent:
      return "permanent";
    case transient:
      return "transient";
    case temporary:
      return "temporary";
  }
  return no_such_enumerator;
}

const char* to_string(restart_strategy x) noexcept {
  switch (x) {
    case one_for_one:
      return "one_for_one";
    case one_for_all:
      return "one_for_all";
    case rest_for_one:
      return "rest_for_one";
    case simple_one_for_one:
      return "simple_one_for_one";
  }
  return no_such_enumerator;
}

const char* to_string(auto_shutdown_mode x) noexcept {
  switch (x) {
    case auto_shutdown_mode::never:
      return "never";
    case auto_shutdown_mode::any_significant:
      return "any_significant";
    case auto_shutdown_mode::all_significant:
      return "all_significant";
  }
  return no_such_enumerator;
}

const char* to_string(exhaustion_action x) noexcept {
  switch (x) {
    case exhaustion_action::escalate:
      return "escalate";
    case exhaustion_action::stop_child:
      return "stop_child";
    case exhaustion_action::park:
      return "park";
    case exhaustion_action::pause:
      return "pause";
  }
  return no_such_enumerator;
}

const char* to_string(failure_action x) noexcept {
  switch (x) {
    case failure_action::restart:
      return "restart";
    case failure_action::stop:
      return "stop";
    case failure_action::escalate:
      return "escalate";
  }
  return no_such_enumerator;
}

const char* to_string(revive_mode x) noexcept {
  switch (x) {
    case revive_mode::none:
      return "none";
    case revive_mode::all:
      return "all";
  }
  return no_such_enumerator;
}

const char* to_string(jitter_kind x) noexcept {
  switch (x) {
    case jitter_kind::none:
      return "none";
    case jitter_kind::full:
      return "full";
    case jitter_kind::equal:
      return "equal";
    case jitter_kind::proportional:
      return "proportional";
  }
  return no_such_enumerator;
}

const char* to_string(isolation_kind x) noexcept {
  switch (x) {
    case isolation_kind::shared:
      return "shared";
    case isolation_kind::thread:
      return "thread";
  }
  return no_such_enumerator;
}

const char* to_string(detector_kind x) noexcept {
  switch (x) {
    case detector_kind::fixed_timeout:
      return "fixed_timeout";
    case detector_kind::phi_accrual:
      return "phi_accrual";
  }
  return no_such_enumerator;
}

const char* to_string(child_kind x) noexcept {
  switch (x) {
    case child_kind::worker:
      return "worker";
    case child_kind::supervisor:
      return "supervisor";
  }
  return no_such_enumerator;
}

const char* to_string(parking_overflow x) noexcept {
  switch (x) {
    case parking_overflow::refuse_newest:
      return "refuse_newest";
    case parking_overflow::drop_oldest:
      return "drop_oldest";
  }
  return no_such_enumerator;
}

std::string to_string(const stop_grace& x) {
  return x.is_brutal() ? "brutal_kill" : to_string(x.limit());
}

} // namespace coppice::policy

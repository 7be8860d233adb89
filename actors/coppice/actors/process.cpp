// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process.hpp"

#include "coppice/actors/process_life.hpp"
#include "coppice/failure_convert.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace coppice {

namespace {

/// At each start: what PATH has may change.
void refuse_if_unsound(const process_options& options) {
  const auto defects = validate(options, "process");
  if (!defects.empty())
    throw failure_error{{.failure_class = failure_classes::start_failure,
                         .code = errc::invalid_spec,
                         .message = to_string(defects),
                         .user_message = "A part of the service is not set up "
                                         "as it has to be.",
                         .is_bug = true}};
}

/// Longer ones are no checks; validation comes later.
constexpr policy::duration year = std::chrono::hours{24 * 365};

} // namespace

start_function runs(process_options options) {
  return [shared = std::make_shared<const process_options>(std::move(options))](
           start_context& context) {
    refuse_if_unsound(*shared);
    const auto life = context.construct([&] {
      return compat::make_redirecting<process_life>(context.system(), shared);
    });
    compat::object_of<process_life>(life).begin(shared.get());
  };
}

child_spec process(process_options options, child_spec child) {
  auto& silence = child.heartbeat.idle_timeout;
  const auto& check = options.check;
  if (silence.is_infinite() && options.watchdog.is_finite())
    silence = options.watchdog;
  else if (silence.is_infinite() && check.is_on() && check.every.is_finite()
           && check.timeout.is_finite())
    silence = 2 * std::min<policy::duration>(check.every.span(), year)
              + std::min<policy::duration>(check.timeout.span(), year);
  child.start = runs(std::move(options));
  return child;
}

std::optional<process_status> status_of_process(const caf::actor& life) {
  if (!life)
    return {};
  const auto* it
    = dynamic_cast<process_life*>(caf::actor_cast<caf::abstract_actor*>(life));
  if (it == nullptr)
    return {};
  return it->status();
}

} // namespace coppice

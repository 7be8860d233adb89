// This file is part of coppice. License: see LICENSE in the source root.

// Reload: another spec for what runs (TOPOLOGY-3).

#include "coppice/supervisor.hpp"

#include <utility>

namespace coppice {

void supervisor_actor::run(const command::reload&,
                           const command_ticket& ticket) {
  ticket.answer(failure{.failure_class = to_string(errc::reload_refused),
                        .code = errc::reload_refused,
                        .message = "not there yet"});
}

} // namespace coppice

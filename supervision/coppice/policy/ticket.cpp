// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/ticket.hpp"

namespace coppice::policy {

const char* to_string(shed_reason x) noexcept {
  switch (x) {
    case shed_reason::queue_full:
      return "queue_full";
    case shed_reason::expired:
      return "expired";
    case shed_reason::cannot_finish:
      return "cannot_finish";
    case shed_reason::standing_queue:
      return "standing_queue";
    case shed_reason::evicted:
      return "evicted";
    case shed_reason::cancelled:
      return "cancelled";
    case shed_reason::draining:
      return "draining";
    case shed_reason::stopped:
      return "stopped";
  }
  return "unknown";
}

std::string to_string(const shed_ticket& x) {
  auto text = '#' + std::to_string(x.who.id) + ' '
              + std::string{to_string(x.who.level)} + ": " + to_string(x.why);
  if (x.retry_after)
    text += ", retry after " + to_string(*x.retry_after);
  return text;
}

} // namespace coppice::policy

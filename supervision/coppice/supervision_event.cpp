// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/supervision_event.hpp"

namespace coppice {

bool has_cause(event_kind x) noexcept {
  switch (x) {
    case event_kind::failed:
    case event_kind::restarting:
    case event_kind::backing_off:
    case event_kind::gave_up:
    case event_kind::budget_spent:
      return true;
    default:
      return false;
  }
}

std::string to_string(const supervision_event& x) {
  std::string line = x.path.empty() ? std::string{"(tree)"} : x.path;
  if (x.incarnation > 0)
    line += '#' + std::to_string(x.incarnation);
  line += ' ';
  line += policy::to_string(x.kind);
  if (has_cause(x.kind))
    line += std::string{" cause="} + policy::to_string(x.cause);
  if (x.kind == event_kind::stopped)
    line += std::string{" why="} + policy::to_string(x.why);
  if (x.span != policy::duration::zero())
    line += " span=" + policy::in_words(x.span);
  if (x.attempts > 0)
    line += " attempts=" + std::to_string(x.attempts);
  if (x.because != nullptr)
    line += ": " + to_string(*x.because);
  return line;
}

} // namespace coppice

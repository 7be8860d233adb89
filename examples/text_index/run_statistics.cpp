// This file is part of coppice. License: see LICENSE in the source root.

#include "run_statistics.hpp"

#include <algorithm>

namespace text_index {

namespace {

using coppice::event_kind;
using coppice::policy::end_cause;

std::uint64_t& restarts_after(end_cause cause, run_tally& tally) {
  switch (cause) {
    case end_cause::crash:
      return tally.restarts_after_crash;
    case end_cause::stall:
      return tally.restarts_after_stall;
    default:
      return tally.restarts_otherwise;
  }
}

} // namespace

void run_statistics::on_event(const coppice::supervision_event& event) {
  std::lock_guard guard{mutex_};
  switch (event.kind) {
    case event_kind::failed:
      if (event.cause == end_cause::crash)
        ++tally_.crashes;
      break;
    case event_kind::stalled:
      ++tally_.stalls;
      break;
    case event_kind::restarting:
      ++restarts_after(event.cause, tally_);
      break;
    case event_kind::abandoned:
      ++tally_.abandoned;
      break;
    case event_kind::abandoned_ended:
      ++tally_.abandoned_ended;
      break;
    case event_kind::watcher_late:
      ++tally_.watcher_late;
      tally_.watcher_latest = std::max(tally_.watcher_latest, event.span);
      break;
    default:
      break;
  }
}

void run_statistics::on_fault(fault_kind fault) {
  std::lock_guard guard{mutex_};
  ++tally_.injected[static_cast<std::size_t>(fault)];
}

void run_statistics::on_service_fault() {
  std::lock_guard guard{mutex_};
  ++tally_.injected_into_service;
}

run_tally run_statistics::read() const {
  std::lock_guard guard{mutex_};
  return tally_;
}

} // namespace text_index

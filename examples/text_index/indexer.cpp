// This file is part of coppice. License: see LICENSE in the source root.

#include "indexer.hpp"

#include <utility>

namespace text_index {

namespace {

using namespace std::chrono_literals;

/// A request that gets no answer by then is asked again. Who fell over it is
/// known at once; this is for the rest.
constexpr auto patience = 1s;

/// How often to ask when others have all that is left.
constexpr auto pause_between_asks = 20ms;

} // namespace

indexer::indexer(caf::actor_config& cfg, service_ptr service,
                 coppice::child_ref work_from, coppice::child_ref results_to)
  : worker(cfg),
    service_(std::move(service)),
    coordinator_(std::move(work_from)),
    merger_(std::move(results_to)) {}

caf::behavior indexer::make_behavior() {
  coppice::compat::tell(this, this, next_file{});
  return {[this](next_file) { ask_for_work(); }};
}

void indexer::ask_for_work() {
  coppice::compat::ask(this, coordinator_.handle(), patience,
                       work_request{{path(), incarnation()}})
    .then([this](const assignment& x) { take(x); },
          [this](const caf::error&) { ask_again_soon(); });
}

void indexer::ask_again_soon() {
  coppice::compat::tell_after(this, pause_between_asks, this, next_file{});
}

void indexer::take(const assignment& x) {
  switch (x.what) {
    case assignment::kind::work:
      work_on(x.work);
      break;
    case assignment::kind::wait:
      ask_again_soon();
      break;
    case assignment::kind::finished: // the supervisor will say when to end
    case assignment::kind::outlived: // it has said so: this life is over
      break;
  }
}

void indexer::work_on(const lease& x) {
  beat("reading");
  const auto fault = service_->faults.draw(x.file, x.strikes);
  if (fault) {
    service_->statistics.on_fault(*fault);
    if (!suffer(*fault, *this, service_->stall_timeout))
      return;
  }
  // A mute one neither says anything nor listens, and so comes too late.
  const auto is_mute = fault == fault_kind::mute;
  auto found = scan_file(service_->files.files[x.file], [this, is_mute] {
    if (is_mute)
      return true;
    beat();
    return !cancelled();
  });
  if (found)
    bring_in(x, std::move(*found));
}

/// Whether it was counted, came too late, or got lost: what is next is for the
/// store to say.
void indexer::bring_in(const lease& x, file_scan file) {
  coppice::compat::ask(this, merger_.handle(), patience,
                       file_result{x.number, std::move(file)})
    .then(
      [this](receipt) {
        healthy();
        ask_for_work();
      },
      [this](const caf::error&) { ask_again_soon(); });
}

} // namespace text_index

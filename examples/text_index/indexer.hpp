// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The worker: asks for a file, reads it, brings it in, asks for the next.
///
/// It may fall anywhere. Whatever it held then goes back when its next life
/// asks for work; whatever it still brings in after that comes too late.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/actors/worker.hpp"
#include "coppice/child_ref.hpp"

#include "service.hpp"

namespace text_index {

class indexer : public coppice::worker {
public:
  indexer(caf::actor_config& cfg, service_ptr service,
          coppice::child_ref work_from, coppice::child_ref results_to);

  caf::behavior make_behavior() override;

private:
  void ask_for_work();
  void ask_again_soon();
  void take(const assignment& x);
  void work_on(const lease& x);
  void bring_in(const lease& x, file_scan file);

  service_ptr service_;
  coppice::child_ref coordinator_;
  coppice::child_ref merger_;
};

} // namespace text_index

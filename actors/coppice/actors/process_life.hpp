// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The actor that stands for a process: it ends when the process is gone.
///
/// Layer: L3.
/// Threads: as any CAF actor; obeys on the thread of whoever sends.
/// Rules: docs/semantics.md, "Words" (life), STOP-1, STOP-2, HEARTBEAT-2.

#include "coppice/actors/process_failure.hpp"
#include "coppice/actors/process_run.hpp"
#include "coppice/life.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace coppice {

/// An actor without a mailbox. An event-based one would end in the moment of
/// its kill, and a new life begin beside a process that has yet to die; it
/// would also be as deaf as the pool of threads is stuck.
///
/// An exit message asks the process to end; with the reason `kill` it kills.
/// Everything else is refused.
class process_life : public compat::redirecting_actor, public life_witness {
public:
  /// Takes the ticket of the life that is being started.
  process_life(caf::actor_config& cfg,
               std::shared_ptr<const process_options> options);
  ~process_life() override;

  const char* name() const override { return "coppice.process"; }

  /// @param place  Lives at one place do not overlap: what it is of, beside
  ///               the path.
  void begin(const void* place);

  [[nodiscard]] process_status status() const;
  void testify(failure& why) const override;

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type* host) override;

private:
  class listener;

  [[nodiscard]] failure_where where() const;
  [[nodiscard]] caf::error reason_of(const process_end& how) const;
  void obey(const caf::exit_msg& x);
  void tell(life_news news);
  void has_beaten(const char* note);
  void wants_time(policy::duration span);
  void has_ended(const process_end& how);

  const std::shared_ptr<const process_options> options_;
  life_ticket ticket_;
  /// The host beats, whoever ends the actor lets go.
  std::mutex beats_mutex_;
  heartbeat beats_;
  std::shared_ptr<process_run> run_;
};

} // namespace coppice

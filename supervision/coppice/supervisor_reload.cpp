// This file is part of coppice. License: see LICENSE in the source root.

// Reload: another spec for what runs (TOPOLOGY-3).

#include "coppice/supervisor.hpp"

#include <utility>

namespace coppice {

namespace {

failure refusal(errc code, std::string message, const std::string& path) {
  return {.failure_class = to_string(code),
          .code = code,
          .message = std::move(message),
          .where = here(path)};
}

} // namespace

reload_progress::~reload_progress() {
  command_reply reply;
  reply.reloaded = std::move(report_);
  ticket_.answer(std::move(reply));
}

/// Of the whole tree, so it goes down from the root: each supervisor takes its
/// own level over before those below it hear of theirs. One that ends in the
/// meantime finds the new spec at its parent.
void supervisor_actor::run(const command::reload& x,
                           const command_ticket& ticket) {
  if (!is_root()) {
    ticket.answer(refusal(errc::reload_refused,
                          own_path_ + " is not the root: reload the tree",
                          own_path_));
    return;
  }
  if (core_.is_ending()) {
    ticket.answer(refusal(errc::shutting_down,
                          own_path_ + ": " + describe(errc::shutting_down),
                          own_path_));
    return;
  }
  if (!x.is_sound)
    if (const auto defects = policy::validate(*x.spec, x.spec->name);
        !defects.empty()) {
      ticket.answer(refusal(errc::invalid_spec, to_string(defects), own_path_));
      return;
    }
  if (const auto defects = core_.reload_defects(*x.spec); !defects.empty()) {
    ticket.answer(refusal(errc::reload_refused, to_string(defects), own_path_));
    return;
  }
  reload_report report{.changes = core_.changes_to(*x.spec, own_path_)};
  report.version = tree_->events().next_version();
  reloading_ = std::make_shared<const reload_progress>(ticket,
                                                       std::move(report));
  obey(core_.reload(std::move(*x.spec), now()));
  reloading_.reset();
}

void supervisor_actor::on_reload_order(const reload_order& x) {
  reloading_ = x.progress;
  obey(core_.reload(*x.spec, now()));
  reloading_.reset();
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Scripted children: lives that fail on demand, and tell what they did.
///
/// Layer: L3.
/// Threads: thread-safe; copies are the same script.
/// Rules: none; catalogue, 2.0.

#include "coppice/spec.hpp"
#include "coppice/testkit/acts.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace coppice::testkit {

/// What one child does in all of its lives, as said before and while it runs.
///
/// Its lives handle strings, and answer with "id#incarnation: text". An act
/// that waits for a message is carried out by the first that is handled.
///
///     child_script flaky{"flaky"};
///     flaky.starts({crash_on_start(), starts()});
///     supervise({.children = {flaky.spec({.restart = transient})}});
///     flaky.now(throws());
class child_script {
public:
  /// @param virtual_time  Hanging is simulated; else a handler really blocks.
  explicit child_script(std::string id, bool virtual_time = false);

  [[nodiscard]] const std::string& id() const noexcept;

  /// `rest` with the id and the start function of this script.
  [[nodiscard]] child_spec spec(child_spec rest = {}) const;
  /// The same, as a plain CAF actor that says ready and beats by message.
  [[nodiscard]] child_spec foreign_spec(child_spec rest = {}) const;

  // -- beforehand ------------------------------------------------------------

  /// One per life, in order. After the last, lives start as they should.
  child_script& starts(std::vector<start_act> acts);
  /// All lives from now on that `starts` says nothing about.
  child_script& always(start_act act);
  /// One per message.
  child_script& on_messages(std::vector<work_act> acts);
  child_script& on_stop(stop_act act);
  /// From the next life on. Own workers beat from a handler, foreign actors by
  /// message.
  child_script& beats_every(policy::duration span);

  // -- now -------------------------------------------------------------------

  /// Sends the current life a message, with which it does this.
  void now(work_act act);
  /// As the handler of a hanging life would: `worker::beat`, `extend`.
  void beat(const char* mark = nullptr);
  void extend(policy::duration span);
  /// No more beats at intervals, in this life and the next ones.
  void mute();
  /// What hangs, in all lives, goes on: handlers return.
  void release();

  // -- what happened ---------------------------------------------------------

  struct handled_message {
    std::uint64_t incarnation = 0;
    std::string text;
    friend bool operator==(const handled_message&, const handled_message&)
      = default;
  };

  /// Calls of the start function.
  [[nodiscard]] std::size_t lives() const;
  [[nodiscard]] std::vector<handled_message> handled() const;
  /// Their texts.
  [[nodiscard]] std::vector<std::string> texts() const;
  /// Lives that hang.
  [[nodiscard]] std::size_t hanging() const;
  /// Has the life that hangs been asked to end (`worker::cancelled`)?
  [[nodiscard]] bool cancelled() const;
  /// The last life, even if it has ended; null if that is gone altogether.
  [[nodiscard]] caf::actor life() const;

  struct state;

private:
  std::shared_ptr<state> state_;
};

} // namespace coppice::testkit

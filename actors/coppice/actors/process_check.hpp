// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Asks a process at intervals how it is. Internal.
///
/// Layer: L3. No CAF.
/// Threads: all on the thread of the loop.
/// Rules: docs/semantics.md, HEARTBEAT-1.

#include "coppice/actors/process_loop.hpp"
#include "coppice/actors/process_options.hpp"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace coppice {

/// Calls back after each check: nothing, or why it failed. Shared, because a
/// command that was killed is waited for even when nobody asks any more.
class health_prober : public std::enable_shared_from_this<health_prober> {
public:
  using callback = std::function<void(const std::optional<std::string>&)>;

  health_prober(process_loop& loop,
                std::shared_ptr<const process_options> options)
    : loop_(loop), options_(std::move(options)) {}

  /// The first check is made at once.
  void begin(callback on_result);
  /// No callback any more.
  void end();

private:
  void check();
  void check_tcp();
  void check_command();
  void tcp_is_connected();
  void tcp_has_answered();
  void command_has_ended();
  void time_is_over();
  void finish(std::optional<std::string> why);
  void let_go();
  /// Null once nobody asks.
  template <class Member>
  [[nodiscard]] process_loop::task call(Member what);

  process_loop& loop_;
  const std::shared_ptr<const process_options> options_;
  callback on_result_;
  policy::time_point began_ = {};
  process_loop::token next_ = 0;
  process_loop::token deadline_ = 0;
  process_loop::token watch_ = 0;
  /// The connection, or the pidfd of the command.
  owned_fd fd_;
  ::pid_t pid_ = 0;
  std::string answer_;
  bool timed_out_ = false;
};

} // namespace coppice

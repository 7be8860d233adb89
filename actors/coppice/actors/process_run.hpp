// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// One process, from its start until the last of its group is gone. Internal.
///
/// Layer: L3. No CAF.
/// Threads: `status` by any thread, all else on the thread of the host.
/// Rules: docs/semantics.md, START-1, STOP-1, STOP-2, HEARTBEAT-1.

#include "coppice/actors/process_check.hpp"
#include "coppice/actors/process_notify.hpp"
#include "coppice/actors/process_output.hpp"
#include "coppice/actors/process_report.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace coppice {

class process_host;

/// Who is told what becomes of it, on the thread of the host.
class process_listener {
public:
  virtual ~process_listener() = default;
  virtual void is_ready() = 0;
  /// @param note  A literal.
  virtual void has_beaten(const char* note) = 0;
  virtual void wants_time(policy::duration span) = 0;
  /// Once, last.
  virtual void has_ended(process_end how) = 0;
};

/// The group is killed as soon as the process itself has ended, and before
/// anybody has waited for it: until then its number is its own.
class process_run : public std::enable_shared_from_this<process_run> {
public:
  /// Runs at one place follow one another.
  using place_name = std::pair<const void*, std::string>;

  process_run(process_host& host,
              std::shared_ptr<const process_options> options, place_name place,
              std::unique_ptr<process_listener> listener);

  [[nodiscard]] const place_name& place() const noexcept { return place_; }
  [[nodiscard]] process_status status() const;

  void launch();
  /// Asks the group to end. Again: nothing.
  void stop();
  /// Whatever it is at.
  void kill();

private:
  /// One of its two streams.
  struct stream {
    owned_fd fd;
    process_loop::token watch = 0;
  };

  // its start
  void spawn_process();
  void not_started(spawn_error why);
  void watch_process(spawned_process process);
  void outcome_is_known();
  void is_ready();
  void begin_checks();

  // its life
  void notifications();
  void take(const notification& x);
  [[nodiscard]] bool is_heard(::pid_t sender) const;
  /// False: there is no more, for now or for ever.
  bool read_some(bool is_error);
  void close_stream(bool is_error);
  void signal(int number) const;

  // its end
  void process_has_ended();
  void look_for_group();
  void is_gone();
  void finish();
  void close_all();

  template <class Member>
  [[nodiscard]] process_loop::task call(Member what) {
    return [self = shared_from_this(), what] { (self.get()->*what)(); };
  }
  template <class Change>
  void change(Change how);

  process_host& host_;
  process_loop& loop_;
  const std::shared_ptr<const process_options> options_;
  const place_name place_;
  std::unique_ptr<process_listener> listener_;
  std::shared_ptr<health_prober> prober_;

  /// 0: not begun, or nobody's any more.
  ::pid_t pid_ = 0;
  owned_fd pidfd_;
  owned_fd outcome_;
  notify_socket socket_;
  std::array<stream, 2> streams_;
  process_loop::token pidfd_watch_ = 0;
  process_loop::token outcome_watch_ = 0;
  process_loop::token socket_watch_ = 0;
  process_loop::token group_timer_ = 0;
  /// Of the group, once the process itself is gone.
  ::pid_t group_ = 0;
  int looks_at_group_ = 0;
  bool is_over_ = false;
  process_end end_;

  mutable std::mutex mutex_;
  policy::time_point began_ = {};
  process_status status_;
  process_output output_;
};

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The receiving end of sd_notify: what a process says of itself. Internal.
///
/// Layer: L3. No CAF.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, HEARTBEAT-1.

#include "coppice/actors/process_fd.hpp"
#include "coppice/policy/time.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace coppice {

/// One message of the protocol. Source: sd_notify(3) of systemd. What is not
/// here is ignored: MAINPID, because a life is the process that was started;
/// WATCHDOG_USEC, because the spec decides; file descriptors, which are closed.
struct notification {
  bool ready = false;
  bool stopping = false;
  bool beat = false;
  /// "WATCHDOG=trigger": it knows that it is stuck.
  bool trigger = false;
  std::optional<std::string> status = {};
  std::optional<int> error_number = {};
  /// At most a year.
  std::optional<policy::duration> more_time = {};

  friend bool operator==(const notification&, const notification&) = default;
};

/// Lines "NAME=value"; what is no such line is ignored, as in systemd.
[[nodiscard]] notification parse_notification(std::string_view text);

/// A datagram socket in the abstract namespace: it leaves no file behind. Who
/// writes to it is known from the kernel.
class notify_socket {
public:
  /// Unit: bytes. systemd's; what is longer is ignored.
  static constexpr std::size_t message_max = 4096;

  /// False: errno says why.
  [[nodiscard]] bool open();
  void close() noexcept { fd_.reset(); }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// As NOTIFY_SOCKET has it: "@00a3f".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  struct message {
    ::pid_t sender = 0;
    std::string text;
    /// Too long, or with no sender that can be seen.
    bool is_bad = false;
    /// Descriptors that came along; with the end of the message they are
    /// closed, which is what BARRIER=1 waits for.
    struct descriptors {
      descriptors() = default;
      descriptors(const descriptors&) = delete;
      descriptors& operator=(const descriptors&) = delete;
      ~descriptors();
      int count = 0;
      int fds[253];
    } barrier = {};
  };

  /// False: none is there now.
  [[nodiscard]] bool receive(message& into);

private:
  owned_fd fd_;
  std::string name_;
};

} // namespace coppice

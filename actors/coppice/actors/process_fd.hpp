// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A file descriptor with an owner. Internal.
///
/// Layer: L3. No CAF.
/// Threads: a value of one thread.
/// Rules: none.

#include <unistd.h>

#include <utility>

namespace coppice {

class owned_fd {
public:
  owned_fd() noexcept = default;
  explicit owned_fd(int fd) noexcept : fd_(fd) {}
  owned_fd(owned_fd&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {}
  owned_fd& operator=(owned_fd&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }
  ~owned_fd() { reset(); }

  void reset() noexcept {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_ = -1;
};

} // namespace coppice

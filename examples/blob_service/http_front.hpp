// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The service over HTTP, by cpp-httplib.
///
///     GET  /blob/<name>      the bytes, or a problem (RFC 9457)
///     GET  /stats            JSON
///     POST /mode?set=hedge   from this machine alone
///
/// Layer: L4, an example.
/// Threads: begin and end on one thread; a thread per connection inside.
/// Rules: docs/semantics.md, FAILURE-5, DEADLINE-1, DEADLINE-3.

#include "figures.hpp"
#include "options.hpp"
#include "service.hpp"

#include <memory>

namespace blob_service {

class http_front {
public:
  /// Listens, and answers from now on.
  /// @throws std::runtime_error  If the port cannot be had.
  http_front(service& of, traffic& seen, const options& how);
  /// Stops it.
  ~http_front();
  http_front(const http_front&) = delete;
  http_front& operator=(const http_front&) = delete;

  [[nodiscard]] int port() const noexcept;

  /// Takes no more connections, and returns when all of them have ended: each
  /// has its answer by then, and idle ones are waited for up to a second.
  void stop();

private:
  class server;
  std::unique_ptr<server> server_;
};

} // namespace blob_service

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A log of failures on spdlog. Target coppice::spdlog.
///
/// Layer: L1.
/// Threads: as `failure_log`; the logger may be shared if it is one of the
/// thread-safe kind.
/// Rules: docs/semantics.md, FAILURE-5.

#include "coppice/failure_log.hpp"

#include <memory>

namespace spdlog {
class logger;
} // namespace spdlog

namespace coppice {

/// Writes with the logger's own time and level; the other fields as logfmt.
class spdlog_failure_log : public failure_log {
public:
  /// @pre Not null.
  explicit spdlog_failure_log(std::shared_ptr<spdlog::logger> logger);
  void write(const failure_record& x) override;

private:
  std::shared_ptr<spdlog::logger> logger_;
};

} // namespace coppice

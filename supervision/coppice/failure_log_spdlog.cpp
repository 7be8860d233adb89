// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_log_spdlog.hpp"

#include <spdlog/logger.h>

#include <cassert>
#include <utility>

namespace coppice {

namespace {

spdlog::level::level_enum level_of(log_severity x) {
  switch (x) {
    case log_severity::warning:
      return spdlog::level::warn;
    case log_severity::error:
      return spdlog::level::err;
    case log_severity::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::err;
}

} // namespace

spdlog_failure_log::spdlog_failure_log(std::shared_ptr<spdlog::logger> logger)
  : logger_(std::move(logger)) {
  assert(logger_ != nullptr);
}

void spdlog_failure_log::write(const failure_record& x) {
  constexpr std::size_t time_and_level = 2;
  const auto level = level_of(x.severity);
  if (!logger_->should_log(level))
    return;
  // As an argument, not as the format: the text may have braces in it.
  logger_->log(level, "{}", to_line(x, time_and_level));
}

} // namespace coppice

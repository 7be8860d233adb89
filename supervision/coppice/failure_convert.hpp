// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Failures from and to exceptions, `caf::error` and `std::error_code`.
///
/// Layer: L1.
/// Threads: pure functions; none throws anything but `std::bad_alloc`.
/// Rules: docs/semantics.md, FAILURE-1, FAILURE-2, FAILURE-6.

#include "coppice/end_class.hpp"
#include "coppice/failure.hpp"

#include <exception>
#include <memory>
#include <string>
#include <system_error>

namespace coppice {

/// Throws a failure:
///
///     throw failure_error{{.failure_class = "db_down", .message = "..."}};
class failure_error : public std::exception {
public:
  /// Adds host, process, thread and line of code where `x` has none.
  explicit failure_error(failure x, const char* file = __builtin_FILE(),
                         int line = __builtin_LINE(),
                         const char* function = __builtin_FUNCTION());

  [[nodiscard]] const failure& get() const noexcept { return *ptr_; }

  /// The message of the failure.
  [[nodiscard]] const char* what() const noexcept override;

private:
  std::shared_ptr<const failure> ptr_;
};

/// A `failure_error` gives its failure, as it is. Anything else is a bug:
/// class "crash", the type as code, `what()` as message. An error code is
/// kept, and so are nested exceptions, as inner links.
///
/// @param where  What it lacks of host, process and thread is added.
[[nodiscard]] failure from_exception(const std::exception_ptr& ptr,
                                     failure_where where = {});

/// An error made by `to_error` gives its failure, as it is. Others keep the
/// name of their category, their code and their text. All are bugs but exit
/// reasons, which say what CAF or an operator did, not what went wrong.
[[nodiscard]] failure from_error(const caf::error& err,
                                 failure_where where = {});

/// The class of what `from_error` gives, without the work of making it.
/// @param how  As `classify(err)` says.
[[nodiscard]] std::string failure_class_of(const caf::error& err,
                                           end_class how);

/// A bug: nobody said what to tell the user.
[[nodiscard]] failure from_error_code(std::error_code code,
                                      failure_where where = {});

/// What to send instead of an answer, or to end with. Holds all of `x`.
[[nodiscard]] caf::error to_error(failure x);

/// The original code if its category is generic, system or coppice, else
/// `to_errc(x)`.
[[nodiscard]] std::error_code to_error_code(const failure& x);

/// coppice's own code of `x` if it has one, else what goes with its class.
/// Never `errc::none`.
[[nodiscard]] errc to_errc(const failure& x) noexcept;

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_convert.hpp"

#include "coppice/end_class.hpp"
#include "coppice/failure_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace coppice {
namespace {

using namespace std::literals;
using testing::EndsWith;
using testing::HasSubstr;

template <class T>
failure caught(const T& x, failure_where where = {}) {
  return from_exception(std::make_exception_ptr(x), std::move(where));
}

/// What `f` throws.
template <class F>
std::exception_ptr thrown_by(F f) {
  try {
    f();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

class hostile_category : public std::error_category {
public:
  const char* name() const noexcept override { return "hostile"; }
  std::string message(int) const override { throw std::runtime_error("no"); }
};

class wordless : public std::exception {
public:
  const char* what() const noexcept override { return nullptr; }
};

// -- exceptions --------------------------------------------------------------

// FAILURE-1: a raw exception is a bug; type and text are kept.
TEST(FailureFromException, KeepsTypeAndText) {
  const auto x = caught(std::out_of_range{"no row 7"}, here("/app/db", 3));
  EXPECT_EQ(x.failure_class, "crash");
  EXPECT_EQ(x.code.category, "exception");
  EXPECT_EQ(x.code.name, "std::out_of_range");
  EXPECT_EQ(x.message, "no row 7");
  EXPECT_TRUE(x.is_bug);
  EXPECT_EQ(x.where.path, "/app/db");
  EXPECT_EQ(x.where.incarnation, 3u);
}

// FAILURE-1: the process is known even where the caller says nothing.
TEST(FailureFromException, AddsThePlace) {
  EXPECT_GT(caught(1).where.process, 0u);
  EXPECT_NE(caught(1).where.host, "");
  const auto remote = caught(1, {.host = "elsewhere", .process = 9});
  EXPECT_EQ(remote.where, (failure_where{.host = "elsewhere", .process = 9}));
}

// FAILURE-2: std::system_error keeps its code, and gives it back.
TEST(FailureFromException, KeepsErrorCodes) {
  const auto code = std::make_error_code(std::errc::no_space_on_device);
  const auto x = caught(std::system_error{code, "writing the journal"});
  EXPECT_EQ(x.failure_class, "crash");
  EXPECT_EQ(x.code, failure_code{code});
  EXPECT_THAT(x.message, HasSubstr("writing the journal"));
  EXPECT_EQ(x.misc.at("exception"), "std::system_error");
  EXPECT_EQ(to_error_code(x), code);
}

// FAILURE-1: not everything thrown is a std::exception.
TEST(FailureFromException, TakesAnything) {
  EXPECT_EQ(caught(42).code.name, "int");
  EXPECT_EQ(caught("text"s).message, "text");
  EXPECT_EQ(caught<const char*>("text").message, "text");
  EXPECT_EQ(caught<const char*>(nullptr).message, "");
  EXPECT_EQ(caught(wordless{}).message, "");
  EXPECT_EQ(caught(std::make_error_code(std::errc::io_error)).code.category,
            "generic");
  EXPECT_EQ(caught(caf::make_error(errc::stalled)).failure_class, "stall");
  EXPECT_EQ(caught(failure{.message = "bare"}).message, "bare");
  EXPECT_EQ(from_exception(nullptr).message, "no exception");
  for (const auto& x : {caught(42), caught("text"s), from_exception(nullptr)})
    EXPECT_TRUE(x.is_bug && x.failure_class == "crash");
}

// FAILURE-1: what is thrown as a failure is a known edge case, and unchanged.
TEST(FailureFromException, GivesThrownFailuresBack) {
  const auto ptr = thrown_by([] {
    throw failure_error{{.failure_class = "db_down", .message = "no route"}};
  });
  const auto x = from_exception(ptr, here("/app"));
  EXPECT_EQ(x.failure_class, "db_down");
  EXPECT_FALSE(x.is_bug);
  EXPECT_EQ(x, from_exception(ptr));
  EXPECT_THAT(x.where.file, EndsWith("failure_convert_test.cpp"));
  EXPECT_GT(x.where.line, 0u);
  EXPECT_EQ(x.where.path, "");
}

// FAILURE-1: a place that the thrower gave is kept.
TEST(FailureFromException, KeepsThePlaceOfTheThrower) {
  const auto where = failure_where{.host = "h", .file = "f.cpp", .line = 3};
  const failure_error x{{.message = "m", .where = where}};
  EXPECT_EQ(x.get().where, where);
  EXPECT_STREQ(x.what(), "m");
}

// FAILURE-1: nested exceptions are causes.
TEST(FailureFromException, NestsCauses) {
  const auto ptr = thrown_by([] {
    try {
      try {
        throw failure_error{{.failure_class = "disk", .message = "leaf"}};
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"middle"});
      }
    } catch (...) {
      std::throw_with_nested(std::logic_error{"root"});
    }
  });
  const auto x = from_exception(ptr);
  ASSERT_EQ(depth(x), 3u);
  EXPECT_EQ(x.message, "root");
  EXPECT_EQ(x.code.name, "std::logic_error");
  EXPECT_EQ(x.inner->message, "middle");
  EXPECT_TRUE(x.inner->is_bug);
  EXPECT_EQ(root_cause(x).failure_class, "disk");
  EXPECT_FALSE(root_cause(x).is_bug);
}

// FAILURE-1: a well-formed failure around a raw exception is an edge case.
TEST(FailureFromException, NestsBelowFailures) {
  struct plain {};
  const auto ptr = thrown_by([] {
    try {
      throw std::runtime_error{"raw"};
    } catch (...) {
      std::throw_with_nested(failure_error{{.failure_class = "disk"}});
    }
  });
  const auto x = from_exception(ptr);
  ASSERT_EQ(depth(x), 2u);
  EXPECT_FALSE(x.is_bug);
  EXPECT_TRUE(x.inner->is_bug);
  const auto other = thrown_by([] {
    try {
      throw std::runtime_error{"raw"};
    } catch (...) {
      std::throw_with_nested(plain{});
    }
  });
  EXPECT_EQ(root_cause(from_exception(other)).message, "raw");
  EXPECT_THAT(from_exception(other).code.name, EndsWith("::plain"));
}

// FAILURE-1: chains of exceptions have no bound; failures have.
TEST(FailureFromException, BoundsTheChain) {
  auto ptr = std::make_exception_ptr(std::runtime_error{"leaf"});
  for (int i = 0; i < 200; ++i)
    ptr = thrown_by([&ptr] {
      try {
        std::rethrow_exception(ptr);
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"outer"});
      }
    });
  const auto x = from_exception(ptr);
  EXPECT_EQ(depth(x), failure_limits::links_max);
  EXPECT_EQ(root_cause(x).links_left_out, 1u);
  EXPECT_THAT(describe(x), HasSubstr("left out]"));
}

// FAILURE-2: conversions do not throw, whatever the categories of users do.
TEST(FailureFromException, SurvivesHostileCategories) {
  static const hostile_category hostile;
  const auto x = from_error_code({3, hostile});
  EXPECT_EQ(x.code, failure_code("hostile", 3, "(its category threw)"));
}

// FAILURE-1: a text without end is cut.
TEST(FailureFromException, BoundsTheText) {
  const auto x = caught(std::runtime_error{std::string(1'000'000, 'x')});
  EXPECT_EQ(x.message.size(), failure_limits::text_max);
}

// -- caf::error --------------------------------------------------------------

failure sample() {
  return wrap({.failure_class = "disk", .message = "full", .is_bug = true},
              {.failure_class = "db_down",
               .user_message = "Wait.",
               .where = here("/app/db", 2),
               .misc = {{"k", "v"}}});
}

// FAILURE-2: an error made from a failure gives the identical one back.
TEST(FailureFromError, RoundTrips) {
  const auto x = sample();
  EXPECT_EQ(from_error(to_error(x)), x);
  EXPECT_EQ(from_error(to_error(x), here("/elsewhere")), x);
}

// FAILURE-1, FAILURE-6: the error's own code says what to do.
TEST(FailureToError, DeducesTheCodeFromTheClass) {
  const auto code_of = [](const char* failure_class) {
    return to_errc({.failure_class = failure_class});
  };
  EXPECT_EQ(code_of("crash"), errc::crashed);
  EXPECT_EQ(code_of("stall"), errc::stalled);
  EXPECT_EQ(code_of("start_failure"), errc::start_failed);
  EXPECT_EQ(code_of("gave_up"), errc::gave_up);
  EXPECT_EQ(code_of("permanent_failure"), errc::permanent_failure);
  EXPECT_EQ(code_of("node_lost"), errc::node_lost);
  EXPECT_EQ(code_of("db_down"), errc::unknown);
  EXPECT_EQ(code_of(""), errc::unknown);
  EXPECT_EQ(code_of("none"), errc::unknown);
  EXPECT_EQ(to_errc({.failure_class = "mine", .code = errc::parking_full}),
            errc::parking_full);
  EXPECT_EQ(to_errc({.failure_class = "stall", .code = {"coppice", 300, ""}}),
            errc::stalled);
  EXPECT_TRUE(to_error({.failure_class = "stall"}) == errc::stalled);
}

// RESTART-1: no failure is taken for a clean end.
TEST(FailureToError, IsNeverAnErrorThatIsNone) {
  EXPECT_TRUE(compat::is_error(to_error({})));
  EXPECT_TRUE(compat::is_error(to_error({.code = errc::none})));
  EXPECT_FALSE(is_clean(to_error({})));
  EXPECT_FALSE(is_clean(to_error({.failure_class = "killed"})));
}

// FAILURE-1: our own codes, sent without a failure, are known edge cases.
TEST(FailureFromError, KnowsOwnCodes) {
  const auto x = from_error(caf::make_error(errc::unavailable), here("/app"));
  EXPECT_EQ(x.failure_class, "unavailable");
  EXPECT_EQ(x.code, failure_code{errc::unavailable});
  EXPECT_EQ(x.message, describe(errc::unavailable));
  EXPECT_EQ(x.where.path, "/app");
  EXPECT_FALSE(x.is_bug);
  EXPECT_EQ(from_error(shutdown_note("bye")).message, "bye");
}

// FAILURE-1, FAILURE-2: a raw error is a bug; category, code and text stay.
TEST(FailureFromError, KeepsForeignErrors) {
  const auto err = caf::make_error(caf::sec::cannot_open_file,
                                   std::string{"a.txt"});
  const auto x = from_error(err);
  EXPECT_EQ(x.failure_class, "error");
  EXPECT_EQ(x.code.category, "caf::sec");
  EXPECT_EQ(x.code.value, static_cast<int>(caf::sec::cannot_open_file));
  EXPECT_THAT(x.code.name, HasSubstr("cannot_open_file"));
  EXPECT_THAT(x.message, HasSubstr("a.txt"));
  EXPECT_TRUE(x.is_bug);
  EXPECT_GT(x.where.process, 0u);
}

// FAILURE-1, BUDGET-4: exit reasons are told apart, and are nobody's bug.
TEST(FailureFromError, KnowsExitReasons) {
  const auto from = [](caf::exit_reason x) {
    return from_error(caf::make_error(x));
  };
  EXPECT_EQ(from(caf::exit_reason::kill).failure_class, "killed");
  EXPECT_EQ(from(caf::exit_reason::kill).code.category, "caf::exit_reason");
  EXPECT_EQ(from(caf::exit_reason::remote_link_unreachable).failure_class,
            "node_lost");
  EXPECT_EQ(from(caf::exit_reason::unreachable).failure_class, "unreachable");
  EXPECT_EQ(from(caf::exit_reason::user_shutdown).failure_class, "shutdown");
  EXPECT_EQ(from(caf::exit_reason::normal).failure_class, "normal");
  EXPECT_FALSE(from(caf::exit_reason::kill).is_bug);
  EXPECT_TRUE(from(caf::exit_reason::unknown).is_bug);
  const auto died = from_error(caf::make_error(caf::sec::runtime_error));
  EXPECT_EQ(died.failure_class, "crash");
  EXPECT_TRUE(died.is_bug);
}

// FAILURE-2: a CAF category never becomes a category of the system by name.
TEST(FailureFromError, DoesNotMixUpCategories) {
  const auto x = from_error(caf::make_error(caf::sec::cannot_open_file));
  EXPECT_NE(to_error_code(x).category(), std::system_category());
}

// -- std::error_code ---------------------------------------------------------

// FAILURE-2: generic and system codes come back as they were.
TEST(FailureFromErrorCode, RoundTrips) {
  for (const std::error_code code :
       {std::make_error_code(std::errc::connection_reset),
        std::error_code{11, std::system_category()},
        std::error_code{-5, std::generic_category()},
        std::error_code{errc::parking_full}}) {
    const auto x = from_error_code(code);
    EXPECT_EQ(to_error_code(x), code);
    EXPECT_EQ(x.message, code.message());
  }
}

// FAILURE-1: a raw error code is a bug, our own is not.
TEST(FailureFromErrorCode, IsABugUnlessItIsOurs) {
  EXPECT_TRUE(
    from_error_code(std::make_error_code(std::errc::io_error)).is_bug);
  EXPECT_FALSE(from_error_code(errc::unavailable).is_bug);
  EXPECT_EQ(from_error_code(errc::stalled).failure_class, "stall");
}

// FAILURE-2: everything else becomes a code of ours.
TEST(FailureToErrorCode, FallsBackToOurs) {
  EXPECT_EQ(to_error_code({.failure_class = "gave_up"}), errc::gave_up);
  EXPECT_EQ(to_error_code({.failure_class = "db_down"}), errc::unknown);
  EXPECT_EQ(to_error_code({.code = {"generic", INT64_MAX, ""}}), errc::unknown);
  EXPECT_EQ(to_error_code({.code = {"zlib", 3, "bad data"}}), errc::unknown);
}

} // namespace
// FAILURE-2, FAILURE-6: what CAF answers on its own is no bug of anybody's.
TEST(FromError, KnowsHowRequestsFailInCaf) {
  const auto late = from_error(caf::make_error(caf::sec::request_timeout));
  EXPECT_EQ(late.code, failure_code{errc::request_timeout});
  EXPECT_FALSE(late.is_bug);
  const auto gone
    = from_error(caf::make_error(caf::sec::request_receiver_down));
  EXPECT_EQ(gone.code, failure_code{errc::unavailable});
  EXPECT_FALSE(gone.is_bug);
}

} // namespace coppice

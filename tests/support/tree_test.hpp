// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What tests of whole trees in virtual time have in common.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include "coppice/testkit/supervision_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace coppice::test {

using namespace std::literals;
using namespace testkit;
using policy::child_counts;
using policy::child_state;
using policy::end_cause;
using policy::stopped_why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Restarts without delay.
inline constexpr backoff_spec at_once{.first = 0ms,
                                      .jitter = jitter_kind::none};
/// Each restart a second after the failure, and no more.
inline constexpr backoff_spec each_second{.first = 1s,
                                          .cap = 1s,
                                          .jitter = jitter_kind::none};

/// An outcome with a value; else shows the failure.
MATCHER(Succeeds, "") {
  if (!arg.has_value())
    *result_listener << describe(arg.error());
  return arg.has_value();
}

/// An outcome without a value, for this reason.
MATCHER_P(FailsWith, code, "fails with " + to_string(code)) {
  if (arg.has_value()) {
    *result_listener << "it succeeded";
    return false;
  }
  *result_listener << describe(arg.error());
  return arg.error().code == failure_code{code};
}

/// An outcome that is not there yet.
MATCHER(IsNotAnswered, "") {
  return !arg.has_value() && arg.error().failure_class == "no_answer_yet";
}

inline void kill(const caf::actor& x) {
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(x),
                      caf::exit_msg{{},
                                    caf::make_error(caf::exit_reason::kill)});
}

inline void send(const caf::actor& to, std::string text) {
  compat::post(to, std::move(text));
}

} // namespace coppice::test

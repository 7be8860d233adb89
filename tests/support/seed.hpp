// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Seeds of random tests: printed, and given back to replay a failure.
///
/// Layer: tests.
/// Threads: use from the thread of the test.
/// Rules: none; see CONTRIBUTING.

#include "coppice/policy/random.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace coppice::test {

/// What this environment variable says, if it is set.
///
/// @throws std::invalid_argument if it is set to something else than a decimal
///         number: a typing error must not pass for a replay.
inline std::optional<std::uint64_t> number_in_environment(const char* name) {
  const auto* given = std::getenv(name);
  if (given == nullptr)
    return {};
  const std::string_view digits{given};
  std::uint64_t value = 0;
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    throw std::invalid_argument(std::string{name}
                                + " is no number: " + std::string{digits});
  return value;
}

/// `COPPICE_SEED` if that is set, else a fresh seed.
inline std::uint64_t choose_seed() {
  if (const auto given = number_in_environment("COPPICE_SEED"))
    return *given;
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// The randomness of one random test. Prints its seed at once, in case the
/// test crashes, and again with each failure while it lives:
///
///     seeded seeded_test;
///     auto& random = seeded_test.random;
///
/// Replay:  COPPICE_SEED=<seed> policy_tests --gtest_filter=<test>
class seeded {
public:
  seeded()
    : seed(choose_seed()),
      random(seed),
      trace_(__FILE__, __LINE__,
             "replay with COPPICE_SEED=" + std::to_string(seed)) {
    std::cout << "[     SEED ] COPPICE_SEED=" << seed << '\n' << std::flush;
    testing::Test::RecordProperty("seed", std::to_string(seed));
  }

  const std::uint64_t seed;
  policy::random_source random;

private:
  testing::ScopedTrace trace_;
};

} // namespace coppice::test

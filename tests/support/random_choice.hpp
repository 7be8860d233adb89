// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Choosing by a random source, the same on every platform.
///
/// Layer: tests.
/// Threads: as the source.
/// Rules: none.

#include "coppice/policy/random.hpp"

#include <cstddef>
#include <initializer_list>

namespace coppice::test {

/// True in one of `n` cases.
inline bool one_in(policy::random_source& random, std::uint64_t n) {
  return random.up_to(n - 1) == 0;
}

template <class T>
T one_of(policy::random_source& random, std::initializer_list<T> values) {
  return values.begin()[random.up_to(values.size() - 1)];
}

template <class Container>
const auto& one_from(policy::random_source& random, const Container& values) {
  return values[static_cast<std::size_t>(random.up_to(values.size() - 1))];
}

} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a requester is told that a pool does not serve.
///
/// Layer: L3.
/// Threads: pure functions.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, DEADLINE-4, FAILURE-6.

#include "coppice/context.hpp"
#include "coppice/policy/ticket.hpp"

#include <string>

namespace coppice {

/// Classes of failures of pools.
namespace failure_classes {
/// The queue turned it away; `misc["reason"]` says why.
inline constexpr const char* refused = "refused";
} // namespace failure_classes

/// Of class "refused", or what the context says if that is what is over.
/// Well-formed, with the hint when to come back and the request's reference.
/// @param ctx  May be empty: the request came without.
[[nodiscard]] failure failure_of(const policy::shed_ticket& what,
                                 const context& ctx, const std::string& pool);

/// Its worker ended before it could answer: `why`, if that says what went
/// wrong there, else that it can be tried again.
[[nodiscard]] caf::error error_of_lost(const caf::error& why,
                                       const context& ctx,
                                       const std::string& pool);

} // namespace coppice

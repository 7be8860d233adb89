// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The messages that workers of the shipped kinds send to themselves.
///
/// Layer: L4.
/// Threads: values.
/// Rules: none.

#include "coppice/type_ids.hpp"

#include <caf/all.hpp>

#include <cstddef>

namespace coppice::tool {

/// Time for the next piece of work.
struct tick {};

/// Time to end: what was to be finished is.
struct stop_now {};

/// Of a load: one of the children it asks was found, or was not.
struct target_found {
  std::size_t number;
  caf::actor handle;
};

/// Of a load: time to print.
struct report_due {};

} // namespace coppice::tool

CAF_BEGIN_TYPE_ID_BLOCK(coppice_tool, coppice::first_user_type_id)
  CAF_ADD_TYPE_ID(coppice_tool, (coppice::tool::tick))
  CAF_ADD_TYPE_ID(coppice_tool, (coppice::tool::stop_now))
  CAF_ADD_TYPE_ID(coppice_tool, (coppice::tool::target_found))
  CAF_ADD_TYPE_ID(coppice_tool, (coppice::tool::report_due))
CAF_END_TYPE_ID_BLOCK(coppice_tool)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::tool::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::tool::stop_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::tool::target_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::tool::report_due)

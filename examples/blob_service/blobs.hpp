// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A blob as a message, its name, and what can be wrong with either.
///
/// Layer: L4, an example.
/// Threads: values; pure functions.
/// Rules: docs/semantics.md, FAILURE-1.

#include "coppice/failure.hpp"
#include "coppice/type_ids.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace blob_service {

/// What was read. Copies of it, and of messages with it, share the bytes.
struct blob {
  std::shared_ptr<const std::string> bytes;
};

/// Larger files are not served: a read is one unit of work, held in memory.
inline constexpr std::size_t blob_bytes_max = 64 * 1'024 * 1'024;
inline constexpr std::size_t name_length_max = 128;

/// Letters, digits, `.`, `_` and `-`, the first of them not a dot. So a name
/// is never a path: what would lead elsewhere is not a name.
[[nodiscard]] bool is_blob_name(std::string_view x) noexcept;

namespace failure_classes {
inline constexpr const char* no_such_blob = "no_such_blob";
inline constexpr const char* read_failed = "read_failed";
} // namespace failure_classes

/// There is no such file, so there is none in any replica.
[[nodiscard]] coppice::failure no_such_blob();

/// This replica cannot read it; another one may.
[[nodiscard]] coppice::failure read_failed(std::error_code why,
                                           const std::string& message);

} // namespace blob_service

CAF_BEGIN_TYPE_ID_BLOCK(blob_service, coppice::first_user_type_id)
  CAF_ADD_TYPE_ID(blob_service, (blob_service::blob))
CAF_END_TYPE_ID_BLOCK(blob_service)

// It never leaves the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(blob_service::blob)

// This file is part of coppice. License: see LICENSE in the source root.

#include "blobs.hpp"

#include <algorithm>
#include <chrono>

namespace blob_service {

bool is_blob_name(std::string_view x) noexcept {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789._-";
  return !x.empty() && x.size() <= name_length_max && x.front() != '.'
         && x.find_first_not_of(allowed) == std::string_view::npos;
}

coppice::failure no_such_blob() {
  return {.failure_class = failure_classes::no_such_blob,
          .code = std::make_error_code(std::errc::no_such_file_or_directory),
          .message = "no file of this name",
          .user_message = "There is no blob of this name."};
}

coppice::failure read_failed(std::error_code why, const std::string& message) {
  return {.failure_class = failure_classes::read_failed,
          .code = why,
          .message = message + ": " + why.message(),
          .user_message = "The blob cannot be read right now. Please try again"
                          " shortly.",
          .where = coppice::here(),
          .retry_after = std::chrono::seconds{1}};
}

} // namespace blob_service

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The files to serve, and a directory of them for each replica.
///
/// Layer: L4, an example.
/// Threads: made on one thread; immutable then.
/// Rules: none.

#include "options.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace blob_service {

/// Replicas of a data set. The end of it removes the temporary directory, if
/// they are in one.
class data_set {
public:
  /// @throws std::exception  What cannot be read or written; no rest is left
  ///                         in a temporary directory.
  explicit data_set(const options& how);
  ~data_set();
  data_set(const data_set&) = delete;
  data_set& operator=(const data_set&) = delete;

  /// By number of the replica.
  [[nodiscard]] const std::vector<std::filesystem::path>& replicas() const {
    return replicas_;
  }
  /// Names of the blobs, in order.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

private:
  void make_first(const options& how);
  void remove_temporary() noexcept;

  std::filesystem::path temporary_;
  std::vector<std::filesystem::path> replicas_;
  std::vector<std::string> names_;
};

/// All bytes of a file.
/// @throws std::runtime_error  If it cannot be read.
[[nodiscard]] std::string bytes_of(const std::filesystem::path& file);

} // namespace blob_service

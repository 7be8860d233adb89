// This file is part of coppice. License: see LICENSE in the source root.

#include "data_set.hpp"

#include "blobs.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace blob_service {

namespace {

namespace fs = std::filesystem;

fs::path new_temporary_directory() {
  auto pattern = (fs::temp_directory_path() / "blob_service.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("cannot make a directory like " + pattern);
  return pattern;
}

/// Regular files that are served: by name and size. Others are left out.
std::vector<fs::path> files_of(const fs::path& directory) {
  std::vector<fs::path> result;
  for (const auto& x : fs::directory_iterator{directory})
    if (x.is_regular_file() && is_blob_name(x.path().filename().string())
        && x.file_size() <= blob_bytes_max)
      result.push_back(x.path());
  if (result.empty())
    throw std::runtime_error("nothing to serve in " + directory.string());
  std::ranges::sort(result);
  return result;
}

void generate(const fs::path& directory, const options& how) {
  std::mt19937_64 random{how.seed};
  for (std::uint32_t i = 0; i < how.blobs; ++i) {
    std::string bytes(how.blob_bytes, '\0');
    std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
    std::ofstream out{directory / ("blob-" + std::to_string(i)),
                      std::ios::binary};
    out << bytes;
    out.close();
    if (out.fail())
      throw std::runtime_error("cannot write into " + directory.string());
  }
}

} // namespace

data_set::data_set(const options& how) {
  if (how.under.empty())
    temporary_ = new_temporary_directory();
  try {
    const auto root = how.under.empty() ? temporary_ : fs::path{how.under};
    for (std::uint32_t i = 0; i < how.replicas; ++i) {
      replicas_.push_back(root / replica_name(i));
      if (!fs::create_directory(replicas_.back()))
        throw std::runtime_error(replicas_.back().string() + " exists");
    }
    make_first(how);
    for (std::size_t i = 1; i < replicas_.size(); ++i)
      fs::copy(replicas_.front(), replicas_[i]);
  } catch (...) {
    remove_temporary();
    throw;
  }
}

data_set::~data_set() {
  remove_temporary();
}

void data_set::make_first(const options& how) {
  const auto& first = replicas_.front();
  if (how.data.empty())
    generate(first, how);
  else
    for (const auto& file : files_of(how.data))
      fs::copy_file(file, first / file.filename());
  for (const auto& file : files_of(first))
    names_.push_back(file.filename().string());
}

void data_set::remove_temporary() noexcept {
  std::error_code ignored;
  if (!temporary_.empty())
    fs::remove_all(temporary_, ignored);
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string result{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    throw std::runtime_error("cannot read " + file.string());
  return result;
}

} // namespace blob_service

// This file is part of coppice. License: see LICENSE in the source root.

#include "runtime_file.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace coppice::tool {

namespace {

namespace fs = std::filesystem;

std::string reason() {
  return std::strerror(errno);
}

/// One of somebody else in /tmp must not get our token, nor tell us of trees.
complaint complaint_about(const fs::path& path) {
  struct stat is {};
  if (lstat(path.c_str(), &is) != 0)
    return "cannot look at " + path.string() + ": " + reason();
  if (!S_ISDIR(is.st_mode) || is.st_uid != getuid())
    return path.string()
           + " is not a directory of yours; remove it, or set "
             "XDG_RUNTIME_DIR to a directory that is";
  if ((is.st_mode & 077) != 0)
    return "others may use " + path.string() + "; say: chmod 700 "
           + path.string();
  return {};
}

/// For this user alone.
complaint make_directory(const fs::path& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return "cannot make the directory " + path.string() + ": " + reason();
  return complaint_about(path);
}

/// Is what is open there what is to be found there?
bool is_in_place(int fd, const fs::path& path) {
  struct stat here {};
  struct stat there {};
  return fstat(fd, &here) == 0 && lstat(path.c_str(), &there) == 0
         && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/// Ids may have 255 bytes, and so may names of files, with their endings.
fs::path file_of(const std::string& name) {
  return runtime_directory() / (name.substr(0, 200) + ".json");
}

std::string json_of(const running_tree& x) {
  const nlohmann::json result{
    {"name", x.name}, {"pid", x.pid}, {"url", x.url}, {"token", x.token}};
  return result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
         + '\n';
}

/// Opens the file and locks it: nobody who is alive has it then.
/// @returns -1 if somebody has it, -2 if something went wrong, which is said
///          by errno.
int open_and_lock(const fs::path& path) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto fd = open(path.c_str(),
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
      return -2;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const auto is_taken = errno == EWOULDBLOCK;
      close(fd);
      return is_taken ? -1 : -2;
    }
    // Somebody may have removed it in between: then it is nobody's.
    if (is_in_place(fd, path))
      return fd;
    close(fd);
  }
  errno = EAGAIN;
  return -2;
}

bool write_all(int fd, const std::string& text) {
  return ftruncate(fd, 0) == 0 && fchmod(fd, 0600) == 0
         && write(fd, text.data(), text.size())
              == static_cast<ssize_t>(text.size());
}

std::optional<running_tree> read(const fs::path& path) {
  std::ifstream in{path};
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object())
    return std::nullopt;
  try {
    return running_tree{json.at("name"), json.at("pid"), json.at("url"),
                        json.at("token")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

/// Nobody holds the lock: what is written there is history.
bool remove_if_stale(const fs::path& path) {
  const auto fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return false;
  const auto is_stale = flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (is_stale && is_in_place(fd, path)) // not its successor
    unlink(path.c_str());
  close(fd);
  return is_stale;
}

} // namespace

fs::path runtime_directory() {
  if (const auto* base = std::getenv("XDG_RUNTIME_DIR");
      base != nullptr && *base == '/')
    return fs::path{base} / "coppice";
  return "/tmp/coppice-" + std::to_string(getuid());
}

runtime_file::~runtime_file() {
  remove();
}

complaint runtime_file::create(running_tree what) {
  if (auto wrong = make_directory(runtime_directory()))
    return wrong;
  path_ = file_of(what.name);
  descriptor_ = open_and_lock(path_);
  if (descriptor_ == -1) {
    what.name += '-' + std::to_string(what.pid);
    path_ = file_of(what.name);
    descriptor_ = open_and_lock(path_);
  }
  if (descriptor_ < 0)
    return "cannot write " + path_.string() + ": " + reason();
  name_ = what.name;
  if (write_all(descriptor_, json_of(what)))
    return {};
  auto wrong = "cannot write " + path_.string() + ": " + reason();
  remove();
  return wrong;
}

void runtime_file::remove() {
  if (descriptor_ < 0)
    return;
  unlink(path_.c_str()); // before the lock goes: it is still ours
  close(std::exchange(descriptor_, -1));
}

std::vector<running_tree> running_trees() {
  std::vector<running_tree> result;
  if (complaint_about(runtime_directory()))
    return result;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{runtime_directory(), error}) {
    if (entry.path().extension() != ".json" || remove_if_stale(entry.path()))
      continue;
    if (auto tree = read(entry.path()))
      result.push_back(std::move(*tree));
  }
  std::sort(result.begin(), result.end(),
            [](const auto& x, const auto& y) { return x.name < y.name; });
  return result;
}

} // namespace coppice::tool

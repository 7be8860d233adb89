// This file is part of coppice. License: see LICENSE in the source root.

#include "reader.hpp"

#include "../common/pause.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <utility>
#include <variant>

namespace blob_service {

namespace {

/// Read at once, between two looks at the request.
constexpr std::size_t slice = 256 * 1'024;

/// An open file, or -1.
class file_handle {
public:
  explicit file_handle(const std::filesystem::path& path)
    : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
  ~file_handle() {
    if (fd_ >= 0)
      close(fd_);
  }
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;

  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

coppice::failure error_now(const char* what) {
  if (errno == ENOENT)
    return no_such_blob();
  return read_failed({errno, std::generic_category()}, what);
}

using read_result = std::variant<blob, coppice::failure>;

/// @returns what was read by then if the request is over.
read_result read_file(coppice::worker* self, const coppice::context& ctx,
                      const std::filesystem::path& path) {
  const file_handle file{path};
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0)
    return error_now("cannot open it");
  if (!S_ISREG(about.st_mode))
    return no_such_blob();
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > blob_bytes_max)
    return read_failed(std::make_error_code(std::errc::file_too_large), "read");
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size && self->checkpoint(ctx)) {
    const auto some = read(file.get(), bytes.data() + done,
                           std::min(slice, size - done));
    if (some < 0 && errno == EINTR)
      continue;
    if (some < 0)
      return error_now("cannot read on");
    if (some == 0)
      return read_failed(std::make_error_code(std::errc::io_error),
                         "too short");
    done += static_cast<std::size_t>(some);
  }
  return blob{std::make_shared<const std::string>(std::move(bytes))};
}

/// Draws what befalls a read. One per life of a reader.
class dice {
public:
  explicit dice(std::uint64_t seed) : random_(seed) {}

  bool hit(double share) { return share > 0 && zero_to_one_(random_) < share; }

private:
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> zero_to_one_{0, 1};
};

caf::result<blob>
read_with_troubles(coppice::worker* self, const coppice::context& ctx,
                   const std::string& name, replica_site& site, dice& luck) {
  ++site.begun;
  if (luck.hit(site.what_befalls.slow_share)) {
    ++site.slowed;
    example::pause(self, ctx, site.what_befalls.delay);
  }
  if (luck.hit(site.what_befalls.fail_share)) {
    ++site.broken;
    return to_error(read_failed(std::make_error_code(std::errc::io_error),
                                site.name + ": a fault was asked for"));
  }
  auto result = read_file(self, ctx, site.directory / name);
  if (!self->checkpoint(ctx)) {
    ++site.called_off;
    return to_error(read_failed(
      std::make_error_code(std::errc::operation_canceled), site.name));
  }
  if (auto* why = std::get_if<coppice::failure>(&result))
    return to_error(std::move(*why));
  return std::get<blob>(std::move(result));
}

} // namespace

caf::behavior reader(coppice::worker* self,
                     std::shared_ptr<replica_site> site) {
  const auto number = ++site->lives;
  return {coppice::handles(self, [self, site, luck = dice{site->seed + number}](
                                   const coppice::context& ctx,
                                   const std::string& name) mutable {
    return read_with_troubles(self, ctx, name, *site, luck);
  })};
}

} // namespace blob_service

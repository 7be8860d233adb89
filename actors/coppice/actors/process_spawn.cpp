// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_spawn.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#ifndef CLOSE_RANGE_CLOEXEC
#  define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace coppice {

namespace {

/// For `execve`, made before the fork.
struct exec_image {
  explicit exec_image(process_plan& plan) {
    for (auto& x : plan.places)
      places.push_back(x.data());
    for (auto& x : plan.arguments)
      arguments.push_back(x.data());
    for (auto& x : plan.environment)
      environment.push_back(x.data());
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
    if (plan.watchdog_pid != process_plan::npos) {
      auto& entry = plan.environment[plan.watchdog_pid];
      watchdog_pid = entry.data() + entry.find('=') + 1;
    }
    directory = plan.directory.empty() ? nullptr : plan.directory.c_str();
    umask = plan.umask;
  }

  std::vector<char*> places;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  char* watchdog_pid = nullptr;
  const char* directory = nullptr;
  int umask = -1;
};

// -- in the child: only what is safe after a fork among threads ---------------

void write_number(char* to, ::pid_t x) noexcept {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + x % 10);
    x /= 10;
  } while (x > 0);
  while (count > 0)
    *to++ = digits[--count];
  *to = '\0';
}

void reset_signals() noexcept {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= 64; ++signal)
    ::sigaction(signal, &usual, nullptr); // some cannot be, and need not
}

void unblock_signals() noexcept {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_the_rest_on_exec() noexcept {
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    return;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files); // kernels before 5.11
  for (int fd = 3; fd < static_cast<int>(files.rlim_cur); ++fd)
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

[[noreturn]] void fail(int to, spawn_error::step at, int code) noexcept {
  const spawn_error what{at, code};
  static_cast<void>(!::write(to, &what, sizeof(what)));
  ::_exit(127);
}

/// As `execvp`: goes on where nothing is found, and remembers what was
/// forbidden.
[[noreturn]] void execute(const exec_image& image, int to) noexcept {
  int worst = ENOENT;
  for (auto* place : image.places) {
    ::execve(place, image.arguments.data(), image.environment.data());
    if (errno == EACCES)
      worst = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR)
      fail(to, spawn_error::step::execute, errno);
    else if (image.places.size() == 1)
      worst = errno;
  }
  fail(to, spawn_error::step::execute, worst);
}

[[noreturn]] void become(const exec_image& image, const standard_files& files,
                         int to, ::pid_t parent) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(127); // it died before we could say that we want to die with it
  reset_signals();
  ::dup2(files.in, 0);
  ::dup2(files.out, 1);
  ::dup2(files.err, 2);
  if (image.directory != nullptr && ::chdir(image.directory) != 0)
    fail(to, spawn_error::step::directory, errno);
  if (image.umask >= 0)
    ::umask(static_cast<::mode_t>(image.umask));
  if (image.watchdog_pid != nullptr)
    write_number(image.watchdog_pid, ::getpid());
  close_the_rest_on_exec();
  unblock_signals();
  execute(image, to);
}

// -- in this process ----------------------------------------------------------

/// Above 2, or the child could not put its standard files there.
owned_fd moved_up(int fd) noexcept {
  if (fd < 0 || fd > 2)
    return owned_fd{fd};
  const owned_fd low{fd};
  return owned_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
}

/// Nobody has waited for it, so its number is still its own.
void get_rid_of(::pid_t pid) noexcept {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
}

} // namespace

std::optional<pipe_ends> make_pipe(bool reader_blocks) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return {};
  pipe_ends result{moved_up(ends[0]), moved_up(ends[1])};
  if (!result.read || !result.write)
    return {};
  if (!reader_blocks)
    ::fcntl(result.read.get(), F_SETFL, O_NONBLOCK);
  return result;
}

owned_fd open_null() {
  return moved_up(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

std::optional<spawned_process>
spawn(process_plan& plan, const standard_files& files, spawn_error& error) {
  const auto failed = [&error](int code) {
    error = {spawn_error::step::prepare, code};
    return std::nullopt;
  };
  const exec_image image{plan};
  auto outcome = make_pipe(false);
  if (!outcome)
    return failed(errno);
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0)
    return failed(errno);
  if (pid == 0)
    become(image, files, outcome->write.get(), parent);
  ::setpgid(pid, pid); // whoever comes first
  spawned_process result{
    pid, owned_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))},
    std::move(outcome->read)};
  if (!result.pidfd) {
    const auto code = errno;
    get_rid_of(pid);
    return failed(code);
  }
  return result;
}

} // namespace coppice

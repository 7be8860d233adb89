// This file is part of coppice. License: see LICENSE in the source root.

#include "cli/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace cli_test {

namespace {

struct pipe_ends {
  pipe_ends() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
      throw std::runtime_error{"no pipe"};
    in = ends[0];
    out = ends[1];
  }
  int in = -1;
  int out = -1;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

} // namespace

program::program(const std::string& path,
                 const std::vector<std::string>& arguments,
                 const environment& added)
  : until_(std::chrono::steady_clock::now() + patience) {
  std::vector<std::string> argv{path};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto pointers = pointers_to(argv);
  const pipe_ends out;
  const pipe_ends err;
  pid_ = fork();
  if (pid_ == 0) {
    dup2(out.out, STDOUT_FILENO);
    dup2(err.out, STDERR_FILENO);
    for (const auto& [name, value] : added)
      setenv(name.c_str(), value.c_str(), 1);
    execvp(pointers[0], pointers.data());
    _exit(127);
  }
  close(out.out);
  close(err.out);
  out_fd_ = out.in;
  err_fd_ = err.in;
}

program::~program() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  for (const auto fd : {out_fd_, err_fd_})
    if (fd >= 0)
      close(fd);
}

void program::signal(int number) const {
  kill(pid_, number);
}

bool program::read_some() {
  std::array<pollfd, 2> fds{{{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}}};
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
    until_ - std::chrono::steady_clock::now());
  if ((out_fd_ < 0 && err_fd_ < 0) || left.count() <= 0
      || poll(fds.data(), fds.size(), static_cast<int>(left.count())) <= 0)
    return false;
  const auto take = [](const pollfd& x, int& fd, std::string& text) {
    if (x.revents == 0)
      return;
    std::array<char, 65536> bytes{};
    const auto n = read(fd, bytes.data(), bytes.size());
    if (n > 0) {
      text.append(bytes.data(), static_cast<std::size_t>(n));
    } else {
      close(fd);
      fd = -1;
    }
  };
  take(fds[0], out_fd_, out_);
  take(fds[1], err_fd_, err_);
  return true;
}

bool program::wait_for(const std::string& text) {
  do {
    if (const auto at = out_.find(text, seen_); at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
  } while (read_some());
  return false;
}

int program::wait_for_end() {
  while (read_some()) {}
  if (out_fd_ >= 0 || err_fd_ >= 0)
    return -1;
  auto status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

result run(const std::string& path, const std::vector<std::string>& arguments,
           const environment& added) {
  program x{path, arguments, added};
  const auto status = x.wait_for_end();
  return {status, x.out(), x.err()};
}

} // namespace cli_test

// This file is part of coppice. License: see LICENSE in the source root.

// A program that does what its arguments say, one after the other:
//
//   process_puppet notify=READY=1 beats=20 ...
//
// At the end of them it exits with code 0.

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

int exit_code_on_term = 0;

void say(const std::string& line) {
  const auto text = line + '\n';
  static_cast<void>(!::write(STDOUT_FILENO, text.data(), text.size()));
}

/// As sd_notify(3) does; with `descriptor`, it goes along.
void notify(const std::string& text, int descriptor = -1) {
  const auto* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr)
    return say("no NOTIFY_SOCKET");
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, name, sizeof(to.sun_path) - 1);
  if (to.sun_path[0] == '@')
    to.sun_path[0] = '\0';
  iovec data{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path)
                                               + std::strlen(name));
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  if (::sendmsg(fd, &message, 0) < 0)
    say(std::string{"notify: "} + std::strerror(errno));
  ::close(fd);
}

/// As sd_notify_barrier(3): waits until all before it was read.
void barrier() {
  int ends[2];
  static_cast<void>(!::pipe(ends));
  notify("BARRIER=1", ends[1]);
  ::close(ends[1]);
  pollfd hangup{ends[0], 0, 0};
  ::poll(&hangup, 1, -1);
  say("barrier passed");
}

[[noreturn]] void hang() {
  for (;;)
    ::pause();
}

[[noreturn]] void flood() {
  const std::string text(4'095, 'x');
  for (;;) {
    say(text);
    static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
  }
}

void await(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  say("awaiting");
  int got = 0;
  ::sigwait(&set, &got);
}

/// Descriptors, blocked and ignored signals, group: what it inherited.
void show_inherited() {
  std::string fds = "fds";
  auto* all = ::opendir("/proc/self/fd");
  while (const auto* entry = ::readdir(all))
    if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != ::dirfd(all))
      fds += std::string{" "} + entry->d_name;
  ::closedir(all);
  say(fds);
  auto* status = std::fopen("/proc/self/status", "r");
  char line[256];
  while (std::fgets(line, sizeof(line), status) != nullptr)
    if (std::strncmp(line, "SigBlk", 6) == 0
        || std::strncmp(line, "SigIgn", 6) == 0
        || std::strncmp(line, "SigCgt", 6) == 0)
      say(std::string{line, std::strlen(line) - 1});
  std::fclose(status);
  say(::getpgrp() == ::getpid() ? "leads its group" : "is in a group");
}

void fork_children(int count) {
  for (int i = 0; i < count; ++i)
    if (::fork() == 0) {
      ::signal(SIGTERM, SIG_IGN);
      hang();
    }
  say("forked");
}

void act(const std::string& word, const std::string& value) {
  const auto number = std::atoi(value.c_str());
  if (word == "notify")
    notify(value);
  else if (word == "notify_by_child") {
    if (::fork() == 0) {
      notify(value);
      barrier();
      hang();
    }
  } else if (word == "barrier")
    barrier();
  else if (word == "beats")
    for (;;) {
      notify("WATCHDOG=1");
      std::this_thread::sleep_for(std::chrono::milliseconds{number});
    }
  else if (word == "out")
    say(value);
  else if (word == "err")
    static_cast<void>(!::write(2, (value + '\n').data(), value.size() + 1));
  else if (word == "raw")
    static_cast<void>(!::write(1, value.data(), value.size()));
  else if (word == "long")
    say(std::string(static_cast<std::size_t>(number), 'y'));
  else if (word == "env")
    say(value + '='
        + (std::getenv(value.c_str()) != nullptr ? std::getenv(value.c_str())
                                                 : "(none)"));
  else if (word == "pid")
    say("pid=" + std::to_string(::getpid()));
  else if (word == "cwd")
    say(std::string{"cwd="} + ::get_current_dir_name());
  else if (word == "umask")
    say("umask=" + std::to_string(::umask(0)));
  else if (word == "inherited")
    show_inherited();
  else if (word == "flood")
    flood();
  else if (word == "ignore_term")
    ::signal(SIGTERM, SIG_IGN);
  else if (word == "on_term") {
    exit_code_on_term = number;
    ::signal(SIGTERM, [](int) { ::_exit(exit_code_on_term); });
  } else if (word == "await")
    await(number);
  else if (word == "fork")
    fork_children(number);
  else if (word == "exit")
    ::_exit(number);
  else if (word == "signal")
    ::kill(::getpid(), number);
  else if (word == "hang")
    hang();
  else if (word == "lock") { // held as long as any of us lives
    const int fd = ::open(value.c_str(), O_CREAT | O_RDWR, 0600);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
      ::_exit(42);
  } else {
    say("unknown act: " + word);
    ::_exit(64);
  }
}

} // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string order{argv[i]};
    const auto equals = order.find('=');
    act(order.substr(0, equals),
        equals == std::string::npos ? "" : order.substr(equals + 1));
  }
  return 0;
}

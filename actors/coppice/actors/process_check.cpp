// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_check.hpp"

#include "coppice/actors/process_address.hpp"
#include "coppice/actors/process_output.hpp"
#include "coppice/actors/process_spawn.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace coppice {

namespace {

std::string text_of(int error) {
  return std::system_category().message(error);
}

} // namespace

template <class Member>
process_loop::task health_prober::call(Member what) {
  return [self = shared_from_this(), what] { (self.get()->*what)(); };
}

void health_prober::begin(callback on_result) {
  on_result_ = std::move(on_result);
  check();
}

void health_prober::end() {
  on_result_ = nullptr;
  loop_.cancel(next_);
  loop_.cancel(deadline_);
  if (pid_ > 0)
    ::kill(-pid_, SIGKILL); // and wait for it
  else
    let_go();
}

void health_prober::let_go() {
  if (watch_ != 0)
    loop_.forget(fd_.get(), watch_);
  fd_.reset();
  answer_.clear();
}

void health_prober::check() {
  next_ = 0;
  began_ = std::chrono::steady_clock::now();
  timed_out_ = false;
  deadline_ = loop_.after(options_->check.timeout.span(),
                          call(&health_prober::time_is_over));
  try {
    if (options_->check.command.empty())
      check_tcp();
    else
      check_command();
  } catch (const std::system_error& e) { // no descriptors, no memory
    if (pid_ > 0)
      command_has_ended();
    else
      finish(e.what());
  }
}

void health_prober::finish(std::optional<std::string> why) {
  loop_.cancel(deadline_);
  let_go();
  if (!on_result_)
    return;
  const auto gone = std::chrono::steady_clock::now() - began_;
  next_ = loop_.after(std::max(options_->check.every.span() - gone,
                               policy::duration{0}),
                      call(&health_prober::check));
  const auto tell = on_result_; // which may end us
  tell(why);
}

void health_prober::time_is_over() {
  deadline_ = 0;
  timed_out_ = true;
  if (pid_ > 0)
    ::kill(-pid_, SIGKILL); // its end is the result
  else
    finish("no answer within " + policy::to_string(options_->check.timeout));
}

// -- by connection ------------------------------------------------------------

void health_prober::check_tcp() {
  const auto address = parse_address(options_->check.tcp);
  if (!address)
    return finish("no address: " + options_->check.tcp);
  fd_ = owned_fd{::socket(address->storage.ss_family,
                          SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd_)
    return finish("socket: " + text_of(errno));
  const auto* to = reinterpret_cast<const sockaddr*>(&address->storage);
  if (::connect(fd_.get(), to, address->size) != 0 && errno != EINPROGRESS)
    return finish("connect: " + text_of(errno));
  watch_ = loop_.watch(fd_.get(), EPOLLOUT,
                       call(&health_prober::tcp_is_connected));
}

void health_prober::tcp_is_connected() {
  const auto& what = options_->check;
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    return finish("connect: " + text_of(error));
  if (!what.send.empty()
      && ::send(fd_.get(), what.send.data(), what.send.size(), MSG_NOSIGNAL)
           != static_cast<::ssize_t>(what.send.size()))
    return finish("send: " + text_of(errno));
  if (what.expect.empty())
    return finish({});
  loop_.forget(fd_.get(), watch_);
  try {
    watch_ = loop_.watch(fd_.get(), EPOLLIN,
                         call(&health_prober::tcp_has_answered));
  } catch (const std::system_error& e) {
    finish(e.what());
  }
}

void health_prober::tcp_has_answered() {
  const auto& expected = options_->check.expect;
  std::array<char, 1'000> buffer;
  const auto size
    = ::recv(fd_.get(), buffer.data(),
             std::min(buffer.size(), expected.size() - answer_.size()),
             MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (size > 0)
    answer_.append(buffer.data(), static_cast<std::size_t>(size));
  if (size > 0 && answer_.size() < expected.size()
      && expected.starts_with(answer_))
    return;
  if (answer_ == expected)
    return finish({});
  const auto found = answer_.empty()
                       ? std::string{size < 0 ? text_of(errno) : "nothing"}
                       : '"' + harmless(answer_, false, 100) + '"';
  finish("answered " + found);
}

// -- by command ---------------------------------------------------------------

void health_prober::check_command() {
  auto plan = plan_for_check(*options_);
  const auto null = open_null();
  spawn_error error;
  auto child = null ? spawn(plan, {null.get(), null.get(), null.get()}, error)
                    : std::nullopt;
  if (!child)
    return finish("cannot run the check: "
                  + text_of(null ? error.code : errno));
  pid_ = child->pid;
  fd_ = std::move(child->pidfd);
  watch_ = loop_.watch(fd_.get(), EPOLLIN,
                       call(&health_prober::command_has_ended));
}

void health_prober::command_has_ended() {
  siginfo_t how{};
  ::kill(-pid_, SIGKILL); // whatever it has left; its own end is known
  ::waitid(P_PID, static_cast<::id_t>(pid_), &how, WEXITED);
  pid_ = 0;
  if (timed_out_)
    finish("no answer within " + policy::to_string(options_->check.timeout));
  else if (how.si_code == CLD_EXITED && how.si_status == 0)
    finish({});
  else if (how.si_code == CLD_EXITED)
    finish("exit code " + std::to_string(how.si_status)
           + (how.si_status == 127 ? ", perhaps for want of the program" : ""));
  else
    finish("signal " + std::to_string(how.si_status));
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

// A process begins, and lives. Its end is in process_run_end.cpp.

#include "coppice/actors/process_run.hpp"

#include "coppice/actors/process_host.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace coppice {

namespace {

/// At one go, so that others have their turn. Unit: bytes, and messages.
constexpr std::size_t read_max = std::size_t{64} * 1024;
constexpr int messages_max = 64;

process_output::line_sink
sink_of(process_host& host,
        const std::shared_ptr<const process_options>& options) {
  if (!options->on_line)
    return nullptr;
  return [&host, options](const process_line& line) {
    host.courier().post(options, line);
  };
}

} // namespace

process_run::process_run(process_host& host,
                         std::shared_ptr<const process_options> options,
                         place_name place,
                         std::unique_ptr<process_listener> listener)
  : host_(host),
    loop_(host.loop()),
    options_(std::move(options)),
    place_(std::move(place)),
    listener_(std::move(listener)),
    output_(options_->output_lines_max, sink_of(host, options_)) {}

template <class Change>
void process_run::change(Change how) {
  std::lock_guard guard{mutex_};
  how(status_);
}

process_status process_run::status() const {
  std::lock_guard guard{mutex_};
  auto result = status_;
  result.output_lines = output_.lines();
  result.output_bytes = output_.bytes();
  result.last_lines.assign(output_.last().begin(), output_.last().end());
  if (began_ != policy::time_point{})
    result.uptime = std::chrono::steady_clock::now() - began_;
  return result;
}

// -- its start ----------------------------------------------------------------

void process_run::launch() {
  if (is_over_)
    return;
  try {
    spawn_process();
  } catch (const std::system_error& e) {
    end_.what = process_end::kind::not_started;
    end_.error = {spawn_error::step::prepare, e.code().value()};
    if (pid_ == 0)
      return finish();
    signal(SIGKILL); // nobody would hear of its end
    process_has_ended();
  }
}

void process_run::spawn_process() {
  const auto wants_socket = options_->notify || options_->watchdog.is_finite();
  if (wants_socket && !socket_.open())
    return not_started({spawn_error::step::prepare, errno});
  auto plan = plan_for(*options_, socket_.name());
  const auto null = open_null();
  auto out = make_pipe(false);
  auto err = make_pipe(false);
  if (!null || !out || !err)
    return not_started({spawn_error::step::prepare, errno});
  spawn_error error;
  auto process = spawn(plan, {null.get(), out->write.get(), err->write.get()},
                       error);
  if (!process)
    return not_started(error);
  streams_[0].fd = std::move(out->read);
  streams_[1].fd = std::move(err->read);
  watch_process(std::move(*process));
}

void process_run::not_started(spawn_error why) {
  end_.what = process_end::kind::not_started;
  end_.error = why;
  finish();
}

void process_run::watch_process(spawned_process process) {
  pid_ = process.pid;
  pidfd_ = std::move(process.pidfd);
  outcome_ = std::move(process.outcome);
  change([this](process_status& x) {
    x.pid = pid_;
    began_ = std::chrono::steady_clock::now();
  });
  pidfd_watch_ = loop_.watch(pidfd_.get(), EPOLLIN,
                             call(&process_run::process_has_ended));
  outcome_watch_ = loop_.watch(outcome_.get(), EPOLLIN,
                               call(&process_run::outcome_is_known));
  for (const auto is_error : {false, true}) {
    auto& x = streams_[is_error ? 1 : 0];
    x.watch = loop_.watch(x.fd.get(), EPOLLIN,
                          [self = shared_from_this(), is_error] {
                            self->read_some(is_error);
                          });
  }
  if (socket_.fd() >= 0)
    socket_watch_ = loop_.watch(socket_.fd(), EPOLLIN,
                                call(&process_run::notifications));
}

/// It was executed, or could not be: then its end follows.
void process_run::outcome_is_known() {
  spawn_error error;
  const auto size = ::read(outcome_.get(), &error, sizeof(error));
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  loop_.forget(outcome_.get(), outcome_watch_);
  outcome_.reset();
  if (size == static_cast<::ssize_t>(sizeof(error))) {
    end_.what = process_end::kind::not_started;
    end_.error = error;
    return;
  }
  if (options_->check.is_on() && options_->check.before_ready)
    begin_checks();
  else if (!options_->notify)
    is_ready();
}

void process_run::is_ready() {
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(status_.is_ready, true))
      return;
  }
  listener_->is_ready();
  if (options_->check.is_on() && prober_ == nullptr)
    begin_checks();
}

void process_run::begin_checks() {
  prober_ = std::make_shared<health_prober>(loop_, options_);
  prober_->begin([this](const std::optional<std::string>& why) {
    change([&why](process_status& x) {
      ++(why ? x.checks_failed : x.checks_passed);
      if (why)
        x.check_failure = *why;
    });
    if (why)
      return;
    is_ready();
    listener_->has_beaten("health check passed");
  });
}

// -- its life -----------------------------------------------------------------

void process_run::notifications() {
  for (int i = 0; i < messages_max; ++i) {
    notify_socket::message x;
    if (!socket_.receive(x))
      return;
    if (x.is_bad || !is_heard(x.sender))
      change([](process_status& to) { ++to.notifications_refused; });
    else
      take(parse_notification(x.text));
  }
}

bool process_run::is_heard(::pid_t sender) const {
  if (sender == pid_)
    return true;
  return options_->notify_access == notify_access_kind::all
         && ::getpgid(sender) == pid_;
}

void process_run::take(const notification& x) {
  change([&x](process_status& to) {
    to.is_stopping = to.is_stopping || x.stopping;
    if (x.status)
      to.text = harmless(*x.status, false, process_output::line_max);
    if (x.error_number)
      to.error_number = x.error_number;
  });
  if (x.more_time)
    listener_->wants_time(*x.more_time);
  if (x.ready && options_->notify)
    is_ready();
  if (x.beat)
    listener_->has_beaten("WATCHDOG=1");
  if (x.trigger && !end_.said_stuck) {
    end_.said_stuck = true;
    signal(SIGKILL);
  }
}

bool process_run::read_some(bool is_error) {
  auto& from = streams_[is_error ? 1 : 0];
  if (!from.fd)
    return false;
  std::array<char, read_max> buffer;
  const auto size = ::read(from.fd.get(), buffer.data(), buffer.size());
  if (size > 0) {
    std::lock_guard guard{mutex_};
    output_.feed(is_error, {buffer.data(), static_cast<std::size_t>(size)});
    return true;
  }
  if (size == 0 || (errno != EAGAIN && errno != EINTR))
    close_stream(is_error);
  return false;
}

void process_run::close_stream(bool is_error) {
  auto& x = streams_[is_error ? 1 : 0];
  if (x.watch != 0)
    loop_.forget(x.fd.get(), x.watch);
  x.fd.reset();
}

/// To the group, and to the process, should it have left its group.
void process_run::signal(int number) const {
  ::kill(-pid_, number);
  if (::getpgid(pid_) != pid_)
    ::kill(pid_, number);
}

} // namespace coppice

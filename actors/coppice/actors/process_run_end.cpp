// This file is part of coppice. License: see LICENSE in the source root.

// A process is asked to end, or ends, and is gone.

#include "coppice/actors/process_group.hpp"
#include "coppice/actors/process_host.hpp"
#include "coppice/actors/process_run.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace coppice {

namespace {

/// Of what is left in a pipe when its process has ended. The pipe holds 64 kB;
/// only somebody who still writes could have more.
constexpr int last_reads_max = 4;

/// Orphans of a group are ours where this program is there for orphans, as the
/// first process of a container is.
void wait_for_orphans(::pid_t group) {
  while (::waitpid(-group, nullptr, WNOHANG) > 0) {}
}

} // namespace

void process_run::stop() {
  if (is_over_ || end_.was_asked)
    return;
  end_.was_asked = true;
  if (pid_ > 0) {
    signal(options_->stop_signal);
    signal(SIGCONT); // who is frozen could not hear it
  } else if (group_ == 0) {
    finish(); // it waited for the end of another
  }
}

void process_run::kill() {
  if (is_over_)
    return;
  end_.was_killed = true;
  if (pid_ > 0)
    signal(SIGKILL);
  else if (group_ == 0)
    finish();
}

void process_run::process_has_ended() {
  loop_.forget(pidfd_.get(), pidfd_watch_);
  siginfo_t how{};
  const auto id = static_cast<::id_t>(pid_);
  auto waited = ::waitid(P_PID, id, &how, WEXITED | WNOWAIT);
  if (waited == 0) { // its number is its own until somebody waits for it
    signal(SIGKILL); // the others of its group
    if (socket_watch_ != 0)
      notifications(); // its last words
    waited = ::waitid(P_PID, id, &how, WEXITED);
  } else { // the program ignores SIGCHLD; the group, if there is one, is ours
    ::kill(-pid_, SIGKILL);
  }
  if (outcome_)
    outcome_is_known();
  if (end_.what != process_end::kind::not_started) {
    end_.what = waited != 0                 ? process_end::kind::lost
                : how.si_code == CLD_EXITED ? process_end::kind::exited
                                            : process_end::kind::signalled;
    end_.code = how.si_status;
    end_.core_dumped = how.si_code == CLD_DUMPED;
  }
  group_ = std::exchange(pid_, 0);
  look_for_group();
}

/// Killed is not gone: what is in the middle of a system call may take a while,
/// and nothing of it may be there when the next life begins.
void process_run::look_for_group() {
  group_timer_ = 0;
  ++looks_at_group_;
  wait_for_orphans(group_);
  const auto only_zombies = [this] {
    return looks_at_group_ % 10 == 3 && !group_lives(group_);
  };
  if (!group_exists(group_) || only_zombies()) {
    wait_for_orphans(group_); // that have died since
    return is_gone();
  }
  group_timer_
    = loop_.after(std::chrono::milliseconds{std::min(looks_at_group_, 50)},
                  call(&process_run::look_for_group));
}

void process_run::is_gone() {
  for (const auto is_error : {false, true})
    for (int i = 0; i < last_reads_max && read_some(is_error); ++i) {}
  {
    std::lock_guard guard{mutex_};
    output_.finish();
  }
  finish();
}

void process_run::finish() {
  if (std::exchange(is_over_, true))
    return;
  const auto self = shared_from_this();
  close_all();
  end_.status = status();
  host_.leave(*this);
  const auto to = std::exchange(listener_, nullptr);
  to->has_ended(std::move(end_));
}

void process_run::close_all() {
  if (prober_ != nullptr)
    std::exchange(prober_, nullptr)->end();
  for (const auto is_error : {false, true})
    close_stream(is_error);
  const auto forget = [this](int fd, process_loop::token& watch) {
    if (watch != 0)
      loop_.forget(fd, watch);
  };
  forget(socket_.fd(), socket_watch_);
  forget(outcome_.get(), outcome_watch_);
  forget(pidfd_.get(), pidfd_watch_);
  socket_.close();
  outcome_.reset();
  pidfd_.reset();
  loop_.cancel(group_timer_);
}

} // namespace coppice

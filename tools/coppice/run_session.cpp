// This file is part of coppice. License: see LICENSE in the source root.

#include "run_session.hpp"

#include "coppice/observer/observer_options.hpp"

#include "exit_codes.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <utility>

namespace coppice::tool {

using namespace std::chrono_literals;

namespace {

/// Half of it for what ends by itself, half of it for killing the rest.
constexpr auto at_once = 500ms;

} // namespace

run_session::run_session(const run_request& how, run_inbox& inbox,
                         std::shared_ptr<kind_environment> world,
                         const worker_kinds& kinds)
  : how_(how),
    inbox_(inbox),
    world_(std::move(world)),
    kinds_(kinds),
    out_(how.plain),
    progress_(out_, how.verbose) {
  hub_.add_listener(
    [this](const supervision_event& x) { progress_.on_event(x); });
  world_->set_speaker([this](const std::string& path, const std::string& line) {
    progress_.on_word(path, line);
  });
}

run_session::~run_session() {
  leave();
}

void run_session::leave() {
  observer_.reset(); // before the tree that it shows
  file_.remove();
  world_->set_speaker({});
  world_->set_root({}, {});
}

bool run_session::holds_threads() const {
  return tree_ && (!tree_->has_ended() || !tree_->abandoned().empty());
}

std::string run_session::elapsed() const {
  return policy::in_words(clock::now() - start_);
}

int run_session::run(topology what, caf::actor_system& system) {
  if (const auto status = launch_tree(std::move(what), system))
    return *status;
  if (const auto status = start_observer()) {
    static_cast<void>(stop()); // in order: something may run already
    return *status;
  }
  if (const auto status = wait_until_ready())
    return *status;
  return wait_until_end();
}

// -- the beginning -----------------------------------------------------------

run_session::exit_status run_session::launch_tree(topology what,
                                                  caf::actor_system& system) {
  options_ = what.options;
  name_ = what.root.name;
  applied_ = {how_.file, what.descriptions, what.options};
  auto options = options_;
  options.on_event = hub_.as_observer();
  // The others are carried out here, where the runtime file is removed first.
  if (options.on_root_end != root_end_action::abort_process)
    options.on_root_end = root_end_action::return_failure;
  start_ = clock::now();
  auto tree = launch(system, std::move(what.root), options);
  if (!tree) {
    std::fprintf(stderr, "%s", describe(tree.error()).c_str());
    return exit_codes::bad_file;
  }
  tree_.emplace(std::move(*tree));
  world_->set_root('/' + name_, tree_->root());
  return std::nullopt;
}

run_session::exit_status run_session::start_observer() {
  if (!how_.observe)
    return std::nullopt;
  observer_settings settings{.address = *how_.observe,
                             .token = how_.token ? *how_.token : new_token(),
                             .file = how_.file,
                             .reload = [this] { return reload(); },
                             .stop = [this] { inbox_.put(run_order::end); }};
  observer_.emplace(*tree_, hub_, settings, world_);
  if (const auto& wrong = observer_->trouble(); !wrong.empty()) {
    std::fprintf(stderr, "coppice: %s\n", wrong.c_str());
    return exit_codes::cannot_write;
  }
  const auto wrong
    = file_.create({name_, getpid(), observer_->url(), settings.token});
  if (wrong) {
    std::fprintf(stderr, "coppice: %s; or run it with --no-observe\n",
                 wrong->c_str());
    return exit_codes::cannot_write;
  }
  // For whoever sits there; not for logs.
  out_.print(name_ + ": " + observer_->url()
             + (out_.is_terminal() ? "?token=" + settings.token : ""));
  if (file_.name() != name_)
    out_.print("Another " + name_ + " runs; this one is called " + file_.name()
               + ": coppice tree --name " + file_.name());
  return std::nullopt;
}

run_session::exit_status run_session::wait_until_ready() {
  const auto until = options_.start_within.after(policy::time_point{start_});
  auto& context = *tree_->context();
  while (!context.wait_until_started_or_ended(5ms)) {
    if (const auto status = obey_orders())
      return status;
    show_status();
    if (policy::time_point{clock::now()} < until)
      continue;
    out_.end_status();
    std::fprintf(stderr, "coppice: /%s was not ready within %s\n",
                 name_.c_str(),
                 policy::to_string(options_.start_within).c_str());
    static_cast<void>(stop());
    return exit_codes::gave_up;
  }
  if (!context.is_started())
    return report_end();
  progress_.set_phase(run_phase::running);
  out_.print(name_ + " is ready after " + elapsed());
  return std::nullopt;
}

// -- the middle --------------------------------------------------------------

run_session::exit_status run_session::obey_orders() {
  const auto order = inbox_.wait(tree_->context()->is_started() ? 20ms : 0ms);
  if (order == run_order::stop || order == run_order::end)
    return stop();
  if (order == run_order::reload)
    static_cast<void>(reload());
  return std::nullopt;
}

int run_session::wait_until_end() {
  const auto until = how_.lasts ? clock::now() + *how_.lasts
                                : clock::time_point::max();
  while (clock::now() < until) {
    if (const auto status = obey_orders())
      return *status;
    if (tree_->has_ended() && !was_kept_) {
      const auto status = report_end();
      if (options_.on_root_end != root_end_action::keep)
        return status;
      was_kept_ = true;
    }
    show_status();
  }
  return stop();
}

void run_session::show_status() {
  if (!out_.is_live() || clock::now() < next_status_)
    return;
  const auto begin = clock::now();
  if (const auto now = take_snapshot(*tree_, 200ms)) {
    const auto headline = "-- " + name_ + ' ' + to_string(now->state) + ", "
                          + elapsed() + ", " + progress_.summary()
                          + "; Ctrl-C stops it";
    out_.show_status(
      status_text(*now, headline, out_.rows(), out_.has_colours()));
  }
  // However large the tree: looking at it takes a twentieth of a processor.
  next_status_ = clock::now()
                 + std::max<clock::duration>(250ms,
                                             20 * (clock::now() - begin));
}

outcome<reload_report> run_session::reload() {
  const std::lock_guard lock{reload_mutex_};
  auto answer = reload_topology(applied_, kinds_, *tree_);
  out_.print(answer.text);
  if (!answer.what && answer.what.error().code == errc::request_timeout)
    out_.print("It is not in force everywhere yet.");
  else if (!answer.what)
    out_.print("Nothing was changed.");
  return std::move(answer.what);
}

// -- the end -----------------------------------------------------------------

int run_session::stop() {
  progress_.set_phase(run_phase::stopping);
  const auto begin = clock::now();
  // Before anything is printed: whoever reads that may have stopped reading.
  auto done = std::async(std::launch::async,
                         [this] { return tree_->stop(options_.stop_within); });
  out_.print("stopping " + name_ + ", within "
             + policy::to_string(options_.stop_within));
  auto orders = 1;
  while (done.wait_for(0ms) != std::future_status::ready) {
    if (inbox_.wait(10ms) == run_order::stop) {
      if (++orders > 2)
        std::quick_exit(exit_codes::interrupted);
      out_.print("once more: what is left is killed");
      hastened_ = std::async(std::launch::async,
                             [this] { return tree_->stop(at_once); });
    }
    show_status();
  }
  out_.end_status();
  const auto report = done.get();
  out_.print(
    name_
    + (report.complete ? " has stopped after " : " has NOT stopped after ")
    + policy::in_words(clock::now() - begin) + "; it ran for " + elapsed()
    + ": " + progress_.summary());
  return report_stop(report);
}

int run_session::report_stop(const stop_report& report) {
  for (const auto& left : report.left)
    out_.print("left behind: " + left.path + ", life "
               + std::to_string(left.incarnation)
               + ", which would not end, and held a thread to the last");
  if (!report.left.empty() || !report.complete)
    return exit_codes::left_behind;
  return exit_codes::clean;
}

int run_session::report_end() {
  out_.end_status();
  const auto end = tree_->wait(0ms);
  if (!end || !*end) {
    out_.print(name_ + " has ended by itself after " + elapsed() + ": "
               + progress_.summary());
    return report_stop({tree_->abandoned(), true});
  }
  std::fflush(stdout);
  std::fprintf(stderr, "%s gave up after %s: %s\n%s", name_.c_str(),
               elapsed().c_str(), progress_.summary().c_str(),
               describe(**end).c_str());
  return options_.on_root_end == root_end_action::exit_process
           ? options_.exit_code
           : exit_codes::gave_up;
}

} // namespace coppice::tool

// This file is part of coppice. License: see LICENSE in the source root.

#include "service_acts.hpp"

#include "coppice/ask.hpp"
#include "coppice/policy/latency_digest.hpp"
#include "coppice/policy/stable_hash.hpp"

#include "kind_messages.hpp"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

namespace coppice::tool {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// In [0, 1).
double draw(policy::random_source& random) {
  return static_cast<double>(random.next() >> 11) * 0x1p-53;
}

/// Waits as for a disk or another service; `false`, and back early, if the
/// request is over or this life is asked to end.
bool wait_for_data(worker* self, const context& ctx, duration span) {
  const auto end = steady_clock::now() + span;
  std::mutex guard;
  std::condition_variable called_off;
  const auto registration = ctx.on_cancel([&] {
    const std::lock_guard lock{guard}; // not between a look and its wait
    called_off.notify_all();
  });
  std::unique_lock lock{guard};
  while (self->checkpoint(ctx)) {
    const auto now = steady_clock::now();
    if (now >= end)
      return true;
    called_off.wait_until(lock,
                          std::min<steady_clock::time_point>(end, now + 20ms));
  }
  return false;
}

} // namespace

// -- responder ---------------------------------------------------------------

duration service_time_of(const responder_options& how,
                         policy::random_source& random) {
  const auto u = draw(random);
  const auto factor = [&] {
    switch (how.kind) {
      case delay_kind::uniform:
        return 0.5 + u;
      case delay_kind::exponential:
        return -std::log1p(-u);
      case delay_kind::heavy_tail:
        return 0.5 / std::sqrt(1 - u);
      default:
        return 1.0;
    }
  }();
  const auto is_slow = draw(random) < how.slow_share;
  const std::chrono::duration<double, std::nano> span = how.mean * factor;
  return std::chrono::duration_cast<duration>(span)
         + (is_slow ? how.slow : duration{0});
}

caf::behavior responder(worker* self, responder_options how) {
  policy::random_source random{how.seed ^ policy::stable_hash(self->path())
                               ^ policy::stable_hash(self->incarnation())};
  return {
    handles(self,
            [=](const context& ctx,
                std::uint64_t number) mutable -> caf::result<std::uint64_t> {
              const auto span = service_time_of(how, random);
              const auto fails = draw(random) < how.failing;
              if (wait_for_data(self, ctx, span) && fails)
                return to_error({.failure_class = "no_data",
                                 .message = "failing, as its arguments say"});
              return number; // of use to nobody if it was called off
            })};
}

// -- load --------------------------------------------------------------------

namespace {

/// What a load saw since it last said so.
struct tally {
  std::uint64_t answered = 0;
  std::map<std::string, std::uint64_t> failed;
};

/// Lives as long as the worker, whose handlers share it.
class load_generator {
public:
  load_generator(worker* self, load_options how,
                 std::shared_ptr<kind_environment> world)
    : self_(self),
      how_(std::move(how)),
      world_(std::move(world)),
      path_(self->path()),
      random_(how_.seed),
      digest_(10s),
      targets_(how_.over.size()) {}

  void look_for_targets();
  void found(const target_found& x);
  void ask_what_is_due();
  void report();

  void tick_after(duration span) {
    compat::tell_after(self_, span, caf::actor_cast<caf::actor>(self_), tick{});
  }
  [[nodiscard]] const load_options& options() const { return how_; }
  std::weak_ptr<load_generator> me;

private:
  void begin();
  void ask_once();

  worker* self_;
  const load_options how_;
  const std::shared_ptr<kind_environment> world_;
  const std::string path_;
  policy::random_source random_;
  policy::latency_digest digest_;
  std::vector<caf::actor> targets_;
  std::shared_ptr<replicator> front_;
  std::uint64_t asked_ = 0;
  bool has_begun_ = false;
  steady_clock::time_point next_;
  tally since_report_;
};

void load_generator::look_for_targets() {
  for (std::size_t i = 0; i < targets_.size(); ++i)
    if (!targets_[i])
      world_->find(how_.over[i], [i, me = caf::actor_cast<caf::actor>(self_)](
                                   caf::actor handle) {
        if (handle)
          compat::post(me, target_found{i, std::move(handle)});
      });
}

void load_generator::found(const target_found& x) {
  targets_[x.number] = x.handle;
  if (!has_begun_
      && std::all_of(targets_.begin(), targets_.end(),
                     [](const auto& handle) { return bool{handle}; }))
    begin();
}

void load_generator::begin() {
  has_begun_ = true;
  next_ = steady_clock::now();
  if (!how_.policy)
    return;
  replicator_options options{.policy = *how_.policy,
                             .deadline = how_.deadline,
                             .name = path_,
                             .seed = how_.seed};
  for (std::size_t i = 0; i < targets_.size(); ++i)
    options.replicas.push_back(
      {.about = {.name = how_.over[i], .domain = {.thread = how_.over[i]}},
       .handle = targets_[i]});
  front_ = std::make_shared<replicator>(self_->system(), std::move(options));
  world_->add(path_, front_);
}

void load_generator::ask_what_is_due() {
  if (!has_begun_) {
    look_for_targets();
    tick_after(100ms);
    return;
  }
  const auto now = steady_clock::now();
  // What a late tick missed is asked all the same, but no more than a second's.
  next_ = std::max(next_, now - 1s);
  for (; next_ <= now; self_->beat()) {
    ask_once();
    const std::chrono::duration<double> gap{-std::log1p(-draw(random_))
                                            / how_.rate};
    next_ += std::chrono::duration_cast<steady_clock::duration>(gap);
  }
  tick_after(std::clamp<duration>(next_ - now, 1ms, 1s));
}

void load_generator::ask_once() {
  const auto& target = front_ != nullptr ? front_->handle()
                                         : targets_[asked_ % targets_.size()];
  const auto begin = steady_clock::now();
  const auto owner = me;
  ask(self_, context::lasting(how_.deadline).idempotent(), target, asked_++)
    .then(
      [owner, begin](std::uint64_t) {
        if (const auto here = owner.lock()) {
          const auto now = steady_clock::now();
          here->digest_.learn(policy::time_point{now}, now - begin);
          ++here->since_report_.answered;
        }
      },
      [owner](const failure& why) {
        if (const auto here = owner.lock())
          ++here->since_report_.failed[why.failure_class];
      });
}

std::string in_words(const std::optional<duration>& span) {
  return span ? policy::in_words(*span) : "-";
}

void load_generator::report() {
  digest_.advance(policy::time_point{steady_clock::now()});
  auto line = has_begun_ ? std::to_string(since_report_.answered)
                             + " answers, "
                               "p50 "
                             + in_words(digest_.quantile(0.5)) + ", p99 "
                             + in_words(digest_.quantile(0.99))
                         : "looks for its targets";
  for (const auto& [what, count] : since_report_.failed)
    line += ", " + std::to_string(count) + ' ' + what;
  if (front_ != nullptr) {
    const auto core = front_->statistics().core;
    line += "; extra copies: " + std::to_string(core.extra_sent) + " sent, "
            + std::to_string(core.extra_won) + " won";
  }
  since_report_ = {};
  world_->say(path_, line);
  compat::tell_after(self_, how_.report_every.span(),
                     caf::actor_cast<caf::actor>(self_), report_due{});
}

} // namespace

caf::behavior load(worker* self, load_options how,
                   std::shared_ptr<kind_environment> world) {
  auto generator = std::make_shared<load_generator>(self, std::move(how),
                                                    std::move(world));
  generator->me = generator;
  generator->tick_after(1ms);
  if (const auto& every = generator->options().report_every; every.is_finite())
    compat::tell_after(self, every.span(), caf::actor_cast<caf::actor>(self),
                       report_due{});
  return {[=](tick) { generator->ask_what_is_due(); },
          [=](const target_found& x) { generator->found(x); },
          [=](report_due) { generator->report(); }};
}

} // namespace coppice::tool

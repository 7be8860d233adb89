// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/symboliser.hpp"

#include "coppice/stack_back_end.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#if defined(__linux__)
#  include <pthread.h>
#endif

namespace coppice {

class symboliser::implementation {
public:
  explicit implementation(options how) : how_(std::move(how)) {
    if (!how_.look_up)
      how_.look_up = stack_back_end_of_this_build::find_source;
  }

  bool ask(const raw_stack& stack, answer tell) {
    const std::lock_guard guard{mutex_};
    if (stopping_ || questions_.size() >= how_.queue_max) {
      ++stats_.dropped;
      return false;
    }
    if (!start()) {
      ++stats_.dropped;
      return false;
    }
    questions_.push_back({{stack.begin(), stack.end()}, std::move(tell)});
    wake_.notify_one();
    return true;
  }

  void stop() {
    std::thread gone;
    std::deque<question> left;
    {
      const std::lock_guard guard{mutex_};
      stopping_ = true;
      gone = std::exchange(thread_, {});
      left = std::exchange(questions_, {});
    }
    wake_.notify_one();
    if (gone.joinable())
      gone.join();
    for (const auto& x : left)
      reply(x, {});
  }

  statistics stats() {
    const std::lock_guard guard{mutex_};
    return stats_;
  }

private:
  struct question {
    std::vector<std::uintptr_t> stack;
    answer tell;
  };

  /// @pre `mutex_` is locked.
  bool start() noexcept {
    try {
      if (!thread_.joinable())
        thread_ = std::thread{[this] { loop(); }};
      return true;
    } catch (...) { // no more threads: the next question may have more luck
      return false;
    }
  }

  static void reply(const question& x, frames what) noexcept {
    try {
      x.tell(std::move(what));
    } catch (...) { // theirs; there are others who wait
    }
  }

  void loop() {
#if defined(__linux__)
    // 15 characters are all there is.
    pthread_setname_np(pthread_self(), "coppice.symbols");
#endif
    std::unique_lock lock{mutex_};
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
      if (stopping_)
        return;
      const auto next = std::move(questions_.front());
      questions_.pop_front();
      lock.unlock();
      reply(next, frames_of(next.stack));
      lock.lock();
      ++stats_.answered;
    }
  }

  /// Nothing when memory is out: this is a thread that nobody else guards.
  frames frames_of(const std::vector<std::uintptr_t>& stack) noexcept {
    try {
      frames result;
      for (const auto address : stack)
        result.push_back(frame_of(address));
      return result;
    } catch (...) {
      return {};
    }
  }

  source_frame frame_of(std::uintptr_t address) {
    const auto known = cache_.find(address);
    if (known != cache_.end())
      return known->second;
    {
      const std::lock_guard guard{mutex_};
      if (stopping_)
        return {.address = address};
      ++stats_.looked_up;
    }
    if (cache_.size() >= how_.cache_max)
      cache_.clear();
    source_frame result{.address = address};
    try {
      result = how_.look_up(address);
    } catch (...) { // out of memory, most likely: the address will have to do
    }
    return cache_.emplace(address, std::move(result)).first->second;
  }

  options how_;

  /// Of the thread alone.
  std::unordered_map<std::uintptr_t, source_frame> cache_;

  /// Guards all that follows.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<question> questions_;
  std::thread thread_;
  statistics stats_;
  bool stopping_ = false;
};

symboliser::symboliser() : symboliser(options{}) {}

symboliser::symboliser(options how)
  : impl_(std::make_unique<implementation>(std::move(how))) {}

symboliser::~symboliser() {
  stop();
}

bool symboliser::ask(const raw_stack& stack, answer tell) {
  return impl_->ask(stack, std::move(tell));
}

std::future<symboliser::frames> symboliser::ask(const raw_stack& stack) {
  const auto promise = std::make_shared<std::promise<frames>>();
  auto result = promise->get_future();
  if (!ask(stack, [promise](frames x) { promise->set_value(std::move(x)); }))
    promise->set_value({});
  return result;
}

symboliser::frames symboliser::look_up(const raw_stack& stack,
                                       std::chrono::nanoseconds timeout) {
  if (stack.empty())
    return {};
  auto result = ask(stack);
  constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
  return result.wait_for(std::min(timeout, longest))
             == std::future_status::ready
           ? result.get()
           : frames{};
}

void symboliser::stop() {
  impl_->stop();
}

symboliser::statistics symboliser::stats() const {
  return impl_->stats();
}

// Never destroyed, but stopped: others may still ask while the process exits.
symboliser& shared_symboliser() {
  static auto& shared = *new symboliser;
  static const struct closer {
    ~closer() { shared.stop(); }
  } at_exit;
  return shared;
}

} // namespace coppice

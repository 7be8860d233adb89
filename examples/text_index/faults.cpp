// This file is part of coppice. License: see LICENSE in the source root.

#include "faults.hpp"

#include "coppice/policy/random.hpp"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>

namespace text_index {

namespace {

using coppice::policy::random_source;

// -- drawing -----------------------------------------------------------------

/// One source for each pair of numbers.
random_source source_for(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  const auto first = random_source{seed}.next();
  const auto second = random_source{first ^ a}.next();
  return random_source{second ^ b};
}

/// True with probability `rate`.
bool hits(random_source& source, double rate) {
  constexpr auto scale = std::uint64_t{1} << 53;
  return static_cast<double>(source.up_to(scale - 1))
         < rate * static_cast<double>(scale);
}

/// The first `count` of a shuffled deck.
std::vector<file_number> some_files(std::size_t files, std::size_t count,
                                    std::uint64_t seed) {
  std::vector<file_number> deck(files);
  std::iota(deck.begin(), deck.end(), file_number{0});
  auto source = source_for(seed, files, count);
  for (std::size_t i = 0; i < count; ++i)
    std::swap(deck[i], deck[i + source.up_to(files - i - 1)]);
  deck.resize(count);
  std::sort(deck.begin(), deck.end());
  return deck;
}

/// Levenshtein's, row by row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// -- striking ----------------------------------------------------------------

/// A handler that hangs for good. C++ cannot end it: the life is abandoned,
/// and its thread lasts as long as the process.
[[noreturn]] void loop_forever() {
#ifdef SCHED_IDLE
  // Only what nobody else wants of the processor: a kindness to the machine
  // that runs this demonstration, not to the supervisor.
  const sched_param no_priority{};
  sched_setscheduler(0, SCHED_IDLE, &no_priority);
#endif
  volatile std::uint64_t turns = 0; // without it, a compiler may drop the loop
  for (;;)
    turns = turns + 1;
}

/// A handler that waits for what does not come, in steps, as it should.
void block(coppice::worker& self, std::chrono::nanoseconds at_most) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock guard{mutex};
  const auto until = std::chrono::steady_clock::now() + at_most;
  while (!self.cancelled() && std::chrono::steady_clock::now() < until)
    never.wait_for(guard, std::chrono::milliseconds{10});
}

} // namespace

std::optional<fault_kind> fault_from_name(std::string_view name) {
  const auto at = std::find(fault_names.begin(), fault_names.end(), name);
  if (at == fault_names.end())
    return std::nullopt;
  return static_cast<fault_kind>(at - fault_names.begin());
}

std::string_view nearest_fault_name(std::string_view name) {
  return *std::min_element(fault_names.begin(), fault_names.end(),
                           [name](auto x, auto y) {
                             return edit_distance(name, x)
                                    < edit_distance(name, y);
                           });
}

fault_plan::fault_plan(fault_settings settings, std::size_t files,
                       std::uint32_t lives_max)
  : settings_(std::move(settings)),
    lives_max_(lives_max),
    poison_(some_files(files, settings_.poison, settings_.seed)) {}

std::optional<fault_kind> fault_plan::draw(file_number file,
                                           std::uint32_t strikes) const {
  if (is_poison(file))
    return fault_kind::poison;
  if (settings_.kinds.empty() || strikes + 1 >= lives_max_)
    return std::nullopt;
  auto source = source_for(settings_.seed, file, strikes);
  if (!hits(source, settings_.rate))
    return std::nullopt;
  return settings_.kinds[source.up_to(settings_.kinds.size() - 1)];
}

service_fault fault_plan::draw(service_part who,
                               std::uint64_t lease_number) const {
  auto source = source_for(~settings_.seed, lease_number,
                           static_cast<std::uint64_t>(who));
  if (!hits(source, settings_.service_rate))
    return service_fault::none;
  return source.up_to(1) == 0 ? service_fault::before : service_fault::after;
}

bool fault_plan::is_poison(file_number file) const {
  return std::binary_search(poison_.begin(), poison_.end(), file);
}

bool suffer(fault_kind fault, coppice::worker& self,
            std::chrono::nanoseconds stall_timeout) {
  switch (fault) {
    case fault_kind::throwing:
      throw std::runtime_error{"injected: throw"};
    case fault_kind::poison:
      throw std::runtime_error{"injected: poison"};
    case fault_kind::kill:
      coppice::compat::exit_now(&self, caf::actor_cast<caf::actor>(&self),
                                caf::make_error(caf::exit_reason::kill));
      return false;
    case fault_kind::loop:
      self.beat("injected: loop");
      loop_forever();
    case fault_kind::stall:
      self.beat("injected: stall");
      block(self, 20 * stall_timeout);
      return !self.cancelled();
    case fault_kind::mute:
      self.beat("injected: mute");
      std::this_thread::sleep_for(3 * stall_timeout); // stands for work
      return true;
  }
  return true;
}

} // namespace text_index

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What connects a replicator with the clock, and with workers that begin.
///
/// Layer: L3.
/// Threads: called on the thread of the clock, and on those of workers.
/// Rules: docs/semantics.md, REPLICATE-2.

#include "coppice/actors/replicator_front.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace coppice {

/// Refers to the front weakly: contexts outlive replicators.
class replicator_front::tie final : public request_tie {
public:
  tie(caf::actor_addr front, std::uint64_t id, std::uint32_t tied)
    : request_tie(tied), front_(std::move(front)), id_(id) {}

  /// Pools in between have to hear it from the worker.
  bool on_drop(std::uint32_t number,
               std::uint64_t requester) noexcept override {
    const auto front = caf::actor_cast<caf::actor>(front_);
    return front && front.id() == requester
           && compat::object_of<replicator_front>(front).on_drop(
             {id_, number}, {.is_unstarted = true});
  }

  void on_over(std::uint32_t number) noexcept override {
    if (const auto front = caf::actor_cast<caf::actor>(front_))
      compat::object_of<replicator_front>(front).on_copy_over({id_, number});
  }

private:
  void on_begin(std::uint32_t number) noexcept override {
    if (const auto front = caf::actor_cast<caf::actor>(front_))
      compat::object_of<replicator_front>(front).on_begin(id_, number);
  }

  const caf::actor_addr front_;
  const std::uint64_t id_;
};

/// Rings when the core has something to do.
class replicator_front::alarm final : public deadline_clock::alarm {
public:
  alarm(caf::actor_addr front, std::shared_ptr<deadline_clock> clock)
    : front_(std::move(front)), clock_(std::move(clock)) {}
  ~alarm() override { clock_->disarm(*this); }

private:
  void ring() noexcept override {
    if (const auto front = caf::actor_cast<caf::actor>(front_))
      compat::object_of<replicator_front>(front).on_alarm();
  }

  const caf::actor_addr front_;
  const std::shared_ptr<deadline_clock> clock_;
};

} // namespace coppice

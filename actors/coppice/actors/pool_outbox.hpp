// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the front of a pool has to send once it has let go of its lock.
///
/// Layer: L3.
/// Threads: lives on the stack of one call.
/// Rules: docs/semantics.md, DEADLINE-3, DEADLINE-4.

#include "coppice/actors/pool_refusal.hpp"
#include "coppice/caf_compat.hpp"
#include "coppice/context.hpp"
#include "coppice/failure_convert.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

/// Enqueueing may run the code of other actors without mailboxes, and letting
/// go of a request may run destructors of users: neither is to happen under a
/// lock. What a call usually has, an answer and the next request, needs no
/// allocation.
class pool_outbox {
public:
  pool_outbox() = default;
  pool_outbox(const pool_outbox&) = delete;
  pool_outbox& operator=(const pool_outbox&) = delete;

  void deliver(caf::strong_actor_ptr to, caf::mailbox_element_ptr what) {
    if (count_ < first_.size())
      first_[count_++] = {std::move(to), std::move(what)};
    else
      more_.push_back({std::move(to), std::move(what)});
  }

  /// An answer to a request that is not served, and why.
  struct refusal {
    caf::strong_actor_ptr to;
    caf::message_id id;
    context ctx;
    /// What the queue says; else the worker has ended, for this reason.
    std::optional<policy::shed_ticket> shed;
    caf::error why;
    caf::mailbox_element_ptr unsent; ///< Only to be let go.
  };
  void refuse(refusal x) { refusals_.push_back(std::move(x)); }

  void call(std::function<void()> f) { calls_.push_back(std::move(f)); }

  /// Only to be let go.
  void drop(context x) { contexts_.push(std::move(x)); }
  void drop(cancel_registration x) { registrations_.push_back(std::move(x)); }
  void drop(caf::strong_actor_ptr x) { deliver(std::move(x), nullptr); }

  /// Does all of it. @param pool  Names the pool in failures.
  /// @returns how many of the calls threw; the others were made all the same.
  [[nodiscard]] std::size_t flush(compat::host_type* host,
                                  const std::string& pool) {
    for (std::size_t i = 0; i < count_; ++i)
      hand_over(first_[i], host);
    for (auto& x : more_)
      hand_over(x, host);
    for (auto& x : refusals_)
      answer(x, pool);
    return static_cast<std::size_t>(std::ranges::count_if(calls_, throws));
  }

private:
  struct delivery {
    caf::strong_actor_ptr to;
    caf::mailbox_element_ptr what;
  };

  /// One without allocation.
  struct few_contexts {
    context first;
    std::vector<context> more;
    void push(context x) {
      if (first.empty())
        first = std::move(x);
      else
        more.push_back(std::move(x));
    }
  };

  static void hand_over(delivery& x, compat::host_type* host) {
    if (x.what != nullptr && x.to != nullptr)
      compat::hand_over(x.to, std::move(x.what), host);
  }

  static bool throws(const std::function<void()>& f) {
    try {
      f();
      return false;
    } catch (...) {
      return true;
    }
  }

  static void answer(const refusal& x, const std::string& pool) {
    if (!x.to || !x.id.is_request())
      return;
    compat::refuse(x.to, x.id,
                   x.shed ? to_error(failure_of(*x.shed, x.ctx, pool))
                          : error_of_lost(x.why, x.ctx, pool));
  }

  std::array<delivery, 2> first_;
  std::size_t count_ = 0;
  std::vector<delivery> more_;
  std::vector<refusal> refusals_;
  std::vector<std::function<void()>> calls_;
  std::vector<cancel_registration> registrations_;
  few_contexts contexts_;
};

} // namespace coppice

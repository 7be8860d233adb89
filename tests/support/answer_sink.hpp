// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Asks, and counts the answers to each request.
///
/// Layer: tests.
/// Threads: thread-safe.
/// Rules: none.

#include "coppice/caf_compat.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace coppice::test {

/// An actor without a mailbox; it does not use CAF's requests, which would hide
/// a second answer.
class answer_sink : public compat::redirecting_actor {
public:
  explicit answer_sink(caf::actor_config& cfg)
    : compat::redirecting_actor(cfg) {}

  /// Returns the number of the request, from 0.
  template <class... Ts>
  std::size_t ask(const caf::actor& to, Ts&&... xs) {
    const auto number = begin();
    const caf::message_id id{caf::message_id::default_async_value
                             | (number + 1)};
    compat::hand_over(
      caf::actor_cast<caf::strong_actor_ptr>(to),
      compat::make_element(caf::actor_cast<caf::strong_actor_ptr>(this), id,
                           caf::make_message(std::forward<Ts>(xs)...)),
      nullptr);
    return number;
  }

  [[nodiscard]] std::size_t asked() const {
    const std::lock_guard guard{mutex_};
    return answers_.size();
  }

  [[nodiscard]] std::vector<caf::message> answers(std::size_t which) const {
    const std::lock_guard guard{mutex_};
    return answers_.at(which);
  }

  /// The first answer, which must not be of another type.
  template <class T>
  [[nodiscard]] outcome<T> outcome_of(std::size_t which) const {
    const auto all = answers(which);
    if (all.empty())
      return failure{.failure_class = "no_answer_yet",
                     .message = "no answer yet",
                     .user_message = "no answer yet"};
    const auto& first = all.front();
    if (first.size() == 1 && first.match_element<caf::error>(0))
      return from_error(first.get_as<caf::error>(0));
    if (first.size() == 1 && first.match_element<T>(0))
      return first.get_as<T>(0);
    return failure{.failure_class = "another_type",
                   .message = caf::deep_to_string(first)};
  }

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type*) override {
    if (!x->mid.is_response())
      return;
    const auto number = x->mid.request_id().integer_value() - 1;
    const std::lock_guard guard{mutex_};
    answers_.at(number).push_back(compat::take_content(*x));
  }

private:
  std::size_t begin() {
    const std::lock_guard guard{mutex_};
    answers_.emplace_back();
    return answers_.size() - 1;
  }

  mutable std::mutex mutex_;
  std::vector<std::vector<caf::message>> answers_;
};

} // namespace coppice::test

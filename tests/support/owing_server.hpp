// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Servers of copies that owe their answers, and what must add up in the end.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include "coppice/actors/worker.hpp"
#include "coppice/context.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/policy/replication_step.hpp"
#include "coppice/request_copy.hpp"
#include "coppice/request_handler.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {

/// What the servers have begun, in this order.
struct server_ledger {
  struct entry {
    std::string server;
    int n;
    context ctx; ///< Empty if it came without.
    std::uint32_t number = 99;
    std::string key = {};
  };
  std::vector<entry> begun;
  std::vector<std::pair<std::string, caf::actor_addr>> lives;
};
using shared_server_ledger = std::shared_ptr<server_ledger>;

/// Owes each answer until it is told what to do about it: `put_atom` with an
/// answer or a failure, or `delete_atom`, which makes it crash.
template <class Self>
caf::behavior server(Self* self, std::string name, shared_server_ledger seen) {
  auto owed = std::make_shared<std::multimap<int, caf::response_promise>>();
  seen->lives.emplace_back(name, self->address());
  const auto begin = [=](const context& ctx, int n) -> caf::result<int> {
    server_ledger::entry entry{name, n, ctx};
    if (const auto* copy = ctx.copy())
      entry.number = copy->number;
    entry.key = ctx.dedup_key();
    seen->begun.push_back(std::move(entry));
    owed->emplace(n, self->make_response_promise());
    return caf::delegated<int>{};
  };
  const auto pay = [=](int n, auto what) {
    if (const auto i = owed->find(n); i != owed->end()) {
      auto promise = std::move(i->second);
      owed->erase(i);
      promise.deliver(std::move(what));
    }
  };
  return {
    handles(self, [=](const context& ctx, int n) { return begin(ctx, n); }),
    [=](int n) { return begin({}, n); },
    handles(
      self,
      [=](const context&, const std::string& text, double factor,
          const failure& what) -> caf::result<std::string, failure, double> {
        return {text + text, what, 2 * factor};
      }),
    [=](caf::put_atom, int n, int answer) { pay(n, answer); },
    [=](caf::put_atom, int n, const failure& why) { pay(n, to_error(why)); },
    [=](caf::delete_atom, int n) {
      if (owed->contains(n))
        throw std::runtime_error{"unlucky"};
    },
    [=](const std::string&) { self->quit(); }};
}

/// Any failure of a server that says nothing special.
inline failure no_disk() {
  return {.failure_class = "disk",
          .message = "no disk",
          .user_message = "We are out of room."};
}

/// The request is wrong, everywhere.
inline failure wrong_request() {
  return {.failure_class = "permanent_failure",
          .code = errc::permanent_failure,
          .message = "no such page",
          .user_message = "There is no such page."};
}

/// What was sent and what came of it add up.
inline void expect_balance(const policy::replication_snapshot& x) {
  EXPECT_EQ(x.requests, x.answered + x.failed + x.in_flight);
  EXPECT_LE(x.over, x.failed);
  std::uint64_t sent = 0;
  std::uint64_t heard = 0;
  for (const auto& y : x.replicas) {
    sent += y.sent;
    heard += y.answered + y.failed + y.outstanding;
  }
  EXPECT_EQ(x.copies_sent, sent);
  EXPECT_LE(heard, sent); // and those that were cancelled
  EXPECT_LE(x.extra_sent, x.copies_sent);
  EXPECT_LE(x.late_sent + x.failovers, x.extra_sent);
  EXPECT_LE(x.extra_won, x.answered);
  EXPECT_LE(x.extra_won, x.extra_sent);
}

} // namespace coppice::test

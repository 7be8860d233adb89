// This file is part of coppice. License: see LICENSE in the source root.

// Shows a request that is called off, and work on its behalf that never starts.
//
// Topology:   data (one_for_one)
//             `-- store     one query at a time, and each takes a while
//             app (one_for_one)
//             `-- reports   makes a report of three queries to the store
//
// You should see the user's request fail as soon as the page is closed, the
// query that runs stop half way, the two behind it dropped unstarted, and the
// next request answered.

#include "coppice/actors/worker.hpp"
#include "coppice/ask.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <utility>

using namespace std::literals;

namespace {

using coppice::context;

/// Tells the program that a long query has begun.
using signal = std::shared_ptr<std::promise<void>>;

// --(doc:store-begin)--
/// "quick" takes no time, anything else as long as it is let.
caf::behavior store(coppice::worker* self, signal begun) {
  return {coppice::handles(self, [=](const context& ctx, std::string query) {
    std::printf("store: %s begins\n", query.c_str());
    if (!query.starts_with("quick")) {
      begun->set_value();
      while (self->checkpoint(ctx)) {
        // a slice of the work
      }
    }
    std::printf("store: %s %s\n", query.c_str(),
                ctx.cancelled() ? "stops half way" : "is done");
    return query + ": 42";
  })};
}
// --(doc:store-end)--

// --(doc:reports-begin)--
/// What it asks on behalf of a request gets the context of that request, and
/// here half of its time at most.
caf::behavior reports(coppice::worker* self, coppice::child_ref store) {
  return {coppice::handles(
    self,
    [=](const context& ctx, std::string query) -> caf::result<std::string> {
      auto promise = self->make_response_promise();
      const auto half = ctx.with_timeout(ctx.remaining().span() / 2);
      coppice::ask(self, half, store, query + " 1")
        .then([=](const std::string& x) mutable { promise.deliver(x); },
              [=](caf::error& why) mutable { promise.deliver(why); });
      for (const auto* part : {" 2", " 3"})
        coppice::ask(self, half, store, query + part)
          .then([](const std::string&) {}, [](const coppice::failure&) {});
      return caf::delegated<std::string>{};
    })};
}
// --(doc:reports-end)--

/// The answer, or what a user is told instead.
template <class Meanwhile>
std::string get(caf::scoped_actor& self, const context& ctx,
                const coppice::child_ref& from, std::string query,
                Meanwhile meanwhile) {
  std::string result;
  // --(doc:ask-begin)--
  auto request = coppice::ask(self, ctx, from, std::move(query));
  meanwhile();
  std::move(request).receive(
    [&](const std::string& answer) { result = answer; },
    [&](const coppice::failure& why) {
      result = why.failure_class + ": " + why.user_message;
    });
  // --(doc:ask-end)--
  return result;
}

} // namespace

int main() {
  coppice::system_config config;
  caf::actor_system system{config};
  const auto begun = std::make_shared<std::promise<void>>();
  auto data = coppice::supervise(
    system,
    {.name = "data",
     .children = {{.id = "store", .start = coppice::spawns(store, begun)}}});
  if (!data)
    return std::puts(describe(data.error()).c_str()), 1;
  const auto from = data->child("/data/store").value();
  auto app = coppice::supervise(
    system,
    {.name = "app",
     .children = {{.id = "reports", .start = coppice::spawns(reports, from)}}});
  if (!app)
    return std::puts(describe(app.error()).c_str()), 1;
  const auto to = app->child("/app/reports").value();

  caf::scoped_actor user{system};
  // --(doc:cancel-begin)--
  const auto ctx = context::lasting(30s);
  const auto close_page = [&] {
    begun->get_future().wait();
    ctx.cancel({.failure_class = "page_closed",
                .message = "the user closed the page",
                .user_message = "You closed the page."});
  };
  std::printf("user: %s\n", get(user, ctx, to, "sales", close_page).c_str());
  // --(doc:cancel-end)--
  const auto next = context::with_default_deadline();
  const auto answer = get(user, next, to, "quick", [] {});
  std::printf("user: %s\n", answer.c_str());
  const auto counted = next.clock()->statistics();
  // Those that were not sent yet when the page was closed count as well.
  std::printf("dropped unstarted: %d\n",
              static_cast<int>(counted.cancelled_unstarted
                               + counted.refused_unsent));
}

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The fixture for GoogleTest: a supervision tree in virtual time.
///
/// Layer: L3.
/// Threads: one.
/// Rules: none; catalogue, 2.0 and H19.

#include "coppice/supervise.hpp"
#include "coppice/testkit/child_script.hpp"
#include "coppice/testkit/event_matchers.hpp"
#include "coppice/testkit/journal.hpp"
#include "coppice/testkit/virtual_system.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace coppice {

// For GoogleTest.
inline void PrintTo(const failure& x, std::ostream* out) {
  *out << describe(x);
}
inline void PrintTo(const failure_code& x, std::ostream* out) {
  *out << x.category << ':' << x.value << ' ' << x.name;
}
template <class T>
void PrintTo(const outcome<T>& x, std::ostream* out) {
  x.has_value() ? *out << "a value" : *out << describe(x.error());
}

} // namespace coppice

namespace coppice::testkit {

/// What will come of a request or command; nothing yet, or an outcome.
template <class T>
using pending = std::shared_ptr<std::optional<outcome<T>>>;

/// Derive from it, or use it as it is:
///
///     using my_tree = coppice::testkit::supervision_test;
///     TEST_F(my_tree, ComesBackAfterACrash) {
///       auto a = script("a");
///       supervise({.name = "app", .children = {a.spec()}});
///       a.now(throws());
///       run_for(1s);
///       EXPECT_THAT(seen(), HappensInOrder(Failed("/app/a", 1),
///                                          Ready("/app/a", 2)));
///     }
///
/// At the end of a test it stops all trees, and fails if actors are left.
class supervision_test : public testing::Test {
public:
  supervision_test();
  explicit supervision_test(compat::configure_function configure);
  ~supervision_test() override;

  void TearDown() override { stop_everything(); }

  // -- the system and its time -----------------------------------------------

  [[nodiscard]] virtual_system& host() noexcept { return host_; }
  [[nodiscard]] caf::actor_system& system() { return host_.system(); }
  [[nodiscard]] policy::duration now() { return host_.now(); }
  void settle() { host_.settle(); }
  void run_for(policy::duration span) { host_.run_for(span); }

  // -- trees -----------------------------------------------------------------

  /// Starts a tree, and delivers messages; no time passes, so it may not be
  /// ready yet. A spec that is not valid fails the test.
  void supervise(supervisor_spec spec, supervise_options options = {});
  /// The same; says what is wrong with the spec.
  outcome_of_nothing launch(supervisor_spec spec,
                            supervise_options options = {});

  /// The last one started.
  [[nodiscard]] supervision_tree& tree() { return *trees_.back(); }
  [[nodiscard]] supervisor_ref root() { return tree().root(); }
  [[nodiscard]] bool is_ready() { return tree().context()->is_started(); }
  [[nodiscard]] bool has_ended() { return tree().has_ended(); }
  /// Nothing: it runs, or ended cleanly.
  [[nodiscard]] std::optional<failure> end_reason();

  /// A child that does what it is told; released at the end of the test.
  [[nodiscard]] child_script script(const std::string& id);

  /// What happened in all trees of this test.
  [[nodiscard]] const journal& seen() const noexcept { return journal_; }
  [[nodiscard]] std::vector<policy::duration>
  starts_of(const std::string& path) const {
    return journal_.starts_of(path);
  }

  // -- commands, by the path of the child ------------------------------------

  // Each submits, settles, and returns the outcome: time stands still. A
  // command that is not through then has an outcome of class "no_answer_yet".

  outcome<command_reply> start_child(const std::string& supervisor,
                                     child_spec spec);
  outcome<command_reply> start_instance(const std::string& supervisor,
                                        caf::message arguments = {});
  outcome<command_reply> terminate_child(const std::string& path);
  outcome<command_reply> restart_child(const std::string& path);
  outcome<command_reply> delete_child(const std::string& path);
  outcome<command_reply> retry_now(const std::string& path);
  /// Listing, counts, and what is abandoned.
  outcome<command_reply> children(const std::string& supervisor);
  /// One line of the listing. A child that is not there fails the test.
  [[nodiscard]] child_line child(const std::string& path);
  [[nodiscard]] policy::child_state state_of(const std::string& path) {
    return child(path).info.state;
  }
  [[nodiscard]] std::uint64_t incarnation_of(const std::string& path) {
    return child(path).info.incarnation;
  }
  /// OTP's four counts.
  [[nodiscard]] policy::child_counts counts(const std::string& supervisor);

  /// The supervisor at this path. One that is not there fails the test.
  [[nodiscard]] supervisor_ref supervisor(const std::string& path);
  /// A reference to the child at this path, across its lives.
  [[nodiscard]] child_ref ref(const std::string& path);

  /// For commands that take time: posts, and does not even settle.
  template <class Command>
  pending<command_reply> submit(const supervisor_ref& to, Command what) {
    auto slot = std::make_shared<std::optional<outcome<command_reply>>>();
    to.submit(std::move(what),
              [slot](auto reply) { *slot = std::move(reply); });
    return slot;
  }

  /// Submits and settles.
  template <class Command>
  outcome<command_reply> command_to(const supervisor_ref& to, Command what) {
    const auto slot = submit(to, std::move(what));
    settle();
    return outcome_of(slot);
  }

  template <class T>
  [[nodiscard]] static outcome<T> outcome_of(const pending<T>& slot) {
    if (slot->has_value())
      return **slot;
    return failure{.failure_class = "no_answer_yet",
                   .message = "no answer yet",
                   .user_message = "no answer yet"};
  }

  // -- requests --------------------------------------------------------------

  /// Sends a request; does not settle. Its timeout is in virtual time.
  template <class T, class... Ts>
  pending<T> request(const caf::actor& to, policy::duration timeout, Ts... xs) {
    auto slot = std::make_shared<std::optional<outcome<T>>>();
    system().spawn([=](caf::event_based_actor* self) {
      compat::ask(self, to, timeout, xs...)
        .then([slot](T x) { *slot = std::move(x); },
              [slot](caf::error& why) { *slot = from_error(why); });
    });
    return slot;
  }

  /// Sends a request, and runs until there is an answer, or the time is over.
  template <class T, class... Ts>
  outcome<T> ask(const caf::actor& to, policy::duration timeout, Ts... xs) {
    const auto slot = request<T>(to, timeout, std::move(xs)...);
    host_.run_until([&] { return slot->has_value(); }, timeout);
    return outcome_of(slot);
  }

  // -- the end ---------------------------------------------------------------

  /// Releases what hangs, stops all trees, by force if need be, and fails the
  /// test if actors are left. Called at the end; again does no harm.
  void stop_everything();

  /// Stops the last tree as an operator would; runs until it has ended or
  /// `within` is over.
  stop_report stop(time_limit within = std::chrono::minutes{1});

private:
  [[nodiscard]] outcome<supervisor_ref> look_up(const std::string& path);
  void stop_by_force(supervision_tree& x);

  virtual_system host_;
  journal journal_;
  std::vector<child_script> scripts_;
  std::vector<std::unique_ptr<supervision_tree>> trees_;
};

} // namespace coppice::testkit

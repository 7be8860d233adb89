// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a start function may do: spawn the child, decline, look around.
///
/// Layer: L2.
/// Threads: only inside the start function, on its thread.
/// Rules: docs/semantics.md, START-1, START-4, START-5.

#include "coppice/life.hpp"
#include "coppice/spec.hpp"

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace coppice {

/// Given to a `start_function`, once per life.
class start_context {
public:
  start_context(caf::actor_system& system, life_ticket& ticket,
                isolation_kind isolation, caf::message arguments)
    : system_(system),
      ticket_(ticket),
      isolation_(isolation),
      arguments_(std::move(arguments)) {}

  start_context(const start_context&) = delete;
  start_context& operator=(const start_context&) = delete;

  /// Spawns the child where its spec says, from a CAF actor function and its
  /// arguments. A function whose first parameter is a `coppice::worker*` makes
  /// a worker, which beats by itself; any other makes a plain CAF actor.
  template <class F, class... Ts>
    requires(!std::is_base_of_v<caf::abstract_actor, std::decay_t<F>>)
  caf::actor spawn(F fun, Ts&&... xs) {
    ticket_scope scope{ticket_};
    if (isolation_ == isolation_kind::thread)
      return use(caf::actor_cast<caf::actor>(
        system_.spawn<caf::detached>(fun, std::forward<Ts>(xs)...)));
    return use(
      caf::actor_cast<caf::actor>(system_.spawn(fun, std::forward<Ts>(xs)...)));
  }

  /// The same from an actor class.
  template <class Impl, class... Ts>
    requires(std::is_base_of_v<caf::abstract_actor, Impl>)
  caf::actor spawn(Ts&&... xs) {
    ticket_scope scope{ticket_};
    if (isolation_ == isolation_kind::thread)
      return use(caf::actor_cast<caf::actor>(
        system_.spawn<Impl, caf::detached>(std::forward<Ts>(xs)...)));
    return use(caf::actor_cast<caf::actor>(
      system_.spawn<Impl>(std::forward<Ts>(xs)...)));
  }

  /// Takes the actor that `make` constructs, on this thread, as the child. It
  /// is ready and beats as one that was spawned if it takes the ticket
  /// (`ticket_scope::current`), else as one that was adopted.
  template <class Make>
  caf::actor construct(Make make) {
    ticket_scope scope{ticket_};
    return use(make());
  }

  /// Takes an actor that was spawned elsewhere as the child. It is ready at
  /// once unless `life()` was asked for; it beats only through that.
  void adopt(caf::actor child) { use(std::move(child)); }

  /// The child declines: OTP's `ignore`. Not a failure.
  void ignore() noexcept { ignored_ = true; }

  /// For plain CAF actors that say `ready` and beat by message.
  [[nodiscard]] life_handle life() {
    life_taken_ = true;
    return {ticket_.link, ticket_.life};
  }

  /// For whoever gives this life its work. Before it is spawned: has `on_news`
  /// called with what the life says, `ready` above all, and `on_failing` as it
  /// begins to fail; on its thread, perhaps before this function returns.
  /// A life for which `will_say_ready` is false says nothing.
  void listen(std::function<void(life_news_kind)> on_news,
              std::function<void()> on_failing) {
    auto link = std::make_shared<supervisor_link>(*ticket_.link);
    link->on_news = std::move(on_news);
    link->on_failing = [outer = ticket_.link->on_failing,
                        inner = std::move(on_failing)](const auto& path,
                                                       const auto& life) {
      if (outer)
        outer(path, life);
      inner();
    };
    ticket_.link = std::move(link);
  }

  /// Of the child that was spawned: to see whether it is asked to end. Empty
  /// for one that does not beat by itself.
  [[nodiscard]] heartbeat beats() const noexcept {
    return ticket_.taken ? ticket_.beats : heartbeat{};
  }

  /// In a pool: what `start_instance` was given. Else empty.
  [[nodiscard]] const caf::message& arguments() const noexcept {
    return arguments_;
  }
  [[nodiscard]] caf::actor_system& system() const noexcept { return system_; }
  [[nodiscard]] std::string path() const { return ticket_.path(); }
  [[nodiscard]] std::uint64_t incarnation() const noexcept {
    return ticket_.incarnation;
  }

  // For the supervisor.
  [[nodiscard]] const caf::actor& child() const noexcept { return child_; }
  [[nodiscard]] bool has_ignored() const noexcept { return ignored_; }
  /// Does the child itself say when it is ready?
  [[nodiscard]] bool will_say_ready() const noexcept {
    return ticket_.taken || life_taken_;
  }

private:
  /// The last one spawned is the child.
  const caf::actor& use(caf::actor child) {
    child_ = std::move(child);
    return child_;
  }

  caf::actor_system& system_;
  life_ticket& ticket_;
  isolation_kind isolation_;
  const caf::message arguments_;
  caf::actor child_;
  bool ignored_ = false;
  bool life_taken_ = false;
};

/// A start function that spawns `fun` with copies of `xs`, life after life.
template <class F, class... Ts>
[[nodiscard]] start_function spawns(F fun, Ts... xs) {
  return [fun, xs...](start_context& context) { context.spawn(fun, xs...); };
}

} // namespace coppice

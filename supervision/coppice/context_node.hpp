// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A node of the tree of contexts; what is behind the handles.
///
/// Layer: L1.
/// Threads: thread-safe. Locks: a node's, then nothing. Nothing is called, and
/// no node is let go of, under a lock.
/// Rules: docs/semantics.md, DEADLINE-4, REPLICATE-6.

#include "coppice/context.hpp"
#include "coppice/request_copy.hpp"

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace coppice {

class copy_registry;
class marked_context_node;

/// States: waiting, then running and done, or removed.
struct cancel_registration::callback {
  enum value : std::uint8_t { waiting, running, done, removed };

  explicit callback(std::function<void()> f) : what(std::move(f)) {}

  std::function<void()> what;
  std::atomic<std::uint8_t> state{waiting};
  /// Set before `running`.
  std::thread::id runner;
  std::list<std::shared_ptr<callback>>::iterator place;
};

class context_node : public context_flag, public deadline_clock::alarm {
public:
  using pointer = std::shared_ptr<context_node>;
  using time_point = policy::time_point;

  /// What all nodes of a tree share. Owned by the root.
  struct request {
    policy::criticality criticality;
    std::string reference;
    std::shared_ptr<deadline_clock> clock;
  };

  context_node(pointer parent, std::unique_ptr<const request> owned,
               time_point deadline);
  ~context_node() override;

  static pointer make_root(time_point deadline, request_entry entry);
  static pointer make_child(const pointer& parent, time_point deadline);
  /// @param kind  Not `unmarked`.
  static pointer make_marked(const pointer& parent, mark_kind kind,
                             request_copy what);
  /// For what was over elsewhere.
  static pointer make_over(request_entry entry, failure cause);

  static context handle(pointer x) { return context{std::move(x)}; }
  static pointer of(const context& x) {
    return std::static_pointer_cast<context_node>(x.flag_);
  }

  bool cancel(const failure_cause& cause);
  [[nodiscard]] bool look();
  [[nodiscard]] bool is_over();
  [[nodiscard]] failure_cause cause();
  cancel_registration on_cancel(std::function<void()> f);
  void forget(cancel_registration::callback& call) noexcept;

  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  [[nodiscard]] const request& about() const noexcept { return *request_; }
  [[nodiscard]] deadline_clock& clock() const noexcept {
    return *request_->clock;
  }

private:
  using callback = cancel_registration::callback;
  using callbacks = std::list<std::shared_ptr<callback>>;
  using nodes = std::vector<pointer>;

  static void join(context_node& child);
  void ring() noexcept override;
  bool finish(const failure_cause& why);
  bool mark(const failure_cause& why, nodes& below, callbacks& calls);
  void run(callback& call) noexcept;
  void tell_tie() noexcept;
  bool link(context_node& child);
  void unlink(context_node& child) noexcept;
  void leave() noexcept;
  [[nodiscard]] pointer self();
  [[nodiscard]] failure expiry() const;
  bool expire();
  void expire_below();

  pointer parent_;
  const std::unique_ptr<const request> owned_;
  const request* request_;
  /// `time_point::max()`: never.
  const time_point deadline_;
  /// The node above, or this one, that has this deadline first: only that one
  /// is ever armed. Null without a deadline.
  context_node* timed_;

  std::mutex mutex_; ///< Guards all that follows.
  failure_cause cause_;
  callbacks callbacks_;
  context_node* first_child_ = nullptr;

  // Guarded by the parent's mutex.
  bool is_linked_ = false;
  context_node* next_ = nullptr;
  context_node* previous_ = nullptr;
};

/// One with a mark. Others do without the room for it.
class marked_context_node final : public context_node {
public:
  marked_context_node(const pointer& parent, mark_kind kind, request_copy what);
  ~marked_context_node() override;

  [[nodiscard]] const request_copy& what() const noexcept { return what_; }

private:
  friend class copy_registry;

  const request_copy what_;
  copy_registry* registry_ = nullptr; ///< Guarded by the registry's mutex.
};

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_stack.hpp"

#include "coppice/failure_limits.hpp"
#include "coppice/throw_stack.hpp"

#include <algorithm>
#include <utility>

namespace coppice {

namespace {

using clock = std::chrono::steady_clock;

/// So that no wait overflows. Nobody waits that long for text.
constexpr std::chrono::nanoseconds longest_wait = std::chrono::hours{24};

/// As far as this library knows: taken while the program is loaded, less a
/// second for failures made by then. A clock that is set back later costs some
/// texts.
wall_time start_of_process() {
  static const auto start = wall_now() - std::chrono::seconds{1};
  return start;
}

[[maybe_unused]] const auto taken_early = start_of_process();

struct process {
  failure_where id = here();
  wall_time since = start_of_process();

  /// The number of a process comes again, in containers soon: what happened
  /// before this one began was another's.
  [[nodiscard]] bool is_home_of(const failure& x) const {
    return x.where.process == id.process && x.where.host == id.host
           && x.when >= since;
  }
  [[nodiscard]] bool can_explain(const failure& x) const {
    return !x.stack.empty() && x.stack_text.empty() && is_home_of(x);
  }
};

bool lacks_text(const failure& x, const process& self) {
  const auto lacks = [&self](const failure_cause& cause) {
    return cause && lacks_text(*cause, self);
  };
  return self.can_explain(x) || lacks(x.inner)
         || std::ranges::any_of(x.secondary, lacks);
}

/// Adds text to one failure with all its causes. Those are immutable, so the
/// ones that change are copied.
class explainer {
public:
  explainer(symboliser& by, clock::time_point end) : by_(by), end_(end) {}

  void explain(failure& x) {
    if (self_.can_explain(x))
      explain_link(x);
    explain_cause(x.inner);
    for (auto& cause : x.secondary)
      explain_cause(cause);
  }

  [[nodiscard]] bool has_all() const noexcept { return has_all_; }

private:
  void explain_cause(failure_cause& cause) {
    if (!cause || !lacks_text(*cause, self_))
      return;
    auto copy = *cause;
    explain(copy);
    cause = failure_cause{std::move(copy)};
  }

  void explain_link(failure& x) {
    raw_stack stack;
    for (const auto address : x.stack)
      stack.push_back(static_cast<std::uintptr_t>(address));
    const auto frames = by_.look_up(stack, end_ - clock::now());
    if (frames.empty()) {
      has_all_ = false;
      return;
    }
    for (const auto& frame : frames)
      x.stack_text.push_back(to_string(frame));
    const auto* const spot = innermost_of_user(frames);
    if (spot == nullptr || !x.where.file.empty())
      return;
    x.where.file = spot->file;
    x.where.line = spot->line;
    x.where.function = spot->function;
  }

  symboliser& by_;
  clock::time_point end_;
  process self_;
  bool has_all_ = true;
};

} // namespace

void attach_stack(failure& x, const raw_stack& stack) {
  if (x.stack.empty())
    x.stack.assign(stack.begin(), stack.end());
}

void attach_stack(failure& x, const std::exception_ptr& e) {
  if (const auto stack = stack_of_throw(e))
    attach_stack(x, *stack);
}

bool lacks_stack_text(const failure& x) {
  return lacks_text(x, process{});
}

bool fill_stack_text(failure& x, std::chrono::nanoseconds timeout,
                     symboliser& by) {
  timeout = std::clamp(timeout, timeout.zero(), longest_wait);
  explainer todo{by, clock::now() + timeout};
  todo.explain(x);
  if (!is_within_limits(x))
    enforce_limits(x);
  return todo.has_all();
}

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/thread_stack.hpp"

// What the signal carries, a pointer, has to hold 64 bits.
#if defined(__linux__) && defined(__LP64__)

#  include <linux/futex.h>
#  include <sys/syscall.h>
#  include <ucontext.h>
#  include <unistd.h>

#  include <algorithm>
#  include <array>
#  include <atomic>
#  include <cerrno>
#  include <csignal>
#  include <cstring>
#  include <ctime>
#  include <mutex>

namespace coppice {

namespace {

using clock = std::chrono::steady_clock;

/// So that a wait does not overflow.
constexpr std::chrono::nanoseconds longest_wait = std::chrono::seconds{10};

// -- slots -------------------------------------------------------------------

// A question has a slot, and a number that no other question in it has: the
// answer to one that was given up finds another number, and is not written. Who
// gives up while the answer is being written leaves the slot to its writer.
enum phase : std::uint32_t { idle, asked, writing, written, left };

constexpr std::uint32_t phase_bits = 3;
constexpr std::uint32_t phase_mask = (1U << phase_bits) - 1;

struct slot {
  /// [number | phase]. Also what is waited for.
  std::atomic<std::uint32_t> state{idle};
  raw_stack stack;
};

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Never destroyed: an answer may come at any time.
constinit std::array<slot, 4> slots{};

constexpr std::uint32_t with(std::uint32_t state, phase x) noexcept {
  return (state & ~phase_mask) | x;
}

constexpr std::uint32_t freed(std::uint32_t state) noexcept {
  return (state & ~phase_mask) + (1U << phase_bits);
}

bool change(slot& x, std::uint32_t from, std::uint32_t to) noexcept {
  return x.state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
}

// -- the asked thread --------------------------------------------------------

// What the signal carries: which slot, which number, and that it is ours.
constexpr std::uint64_t our_mark = 0xc0bb1ce0;

std::uint64_t letter(std::size_t index, std::uint32_t state) noexcept {
  return (our_mark + index) << 32 | state;
}

constinit struct sigaction previous {};

const void* interrupted_at(const void* context) noexcept {
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
#  if defined(__x86_64__)
  return reinterpret_cast<const void*>(registers.gregs[REG_RIP]);
#  elif defined(__aarch64__)
  return reinterpret_cast<const void*>(registers.pc);
#  else
  static_cast<void>(registers);
  return nullptr; // the frames of the handler stay on top
#  endif
}

void pass_on(int signal, siginfo_t* info, void* context) noexcept {
  // The two share their memory, and SA_SIGINFO may be set for either.
  if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)
    return;
  if ((previous.sa_flags & SA_SIGINFO) != 0)
    previous.sa_sigaction(signal, info, context);
  else
    previous.sa_handler(signal);
}

void answer(slot& x, std::uint32_t question, const void* context) noexcept {
  if (!change(x, question, with(question, writing)))
    return; // given up meanwhile
  // The handler, this function, `capture_from`, the frame that the system made
  // for the signal, and what sanitizers add.
  capture_from(interrupted_at(context), 8, x.stack);
  if (change(x, with(question, writing), with(question, written)))
    syscall(SYS_futex, &x.state, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  else
    x.state.store(freed(question), std::memory_order_release);
}

extern "C" void coppice_on_stack_signal(int signal, siginfo_t* info,
                                        void* context) {
  const auto saved = errno;
  const auto text = reinterpret_cast<std::uintptr_t>(info->si_value.sival_ptr);
  const auto index = (text >> 32) - our_mark;
  if (info->si_code == SI_QUEUE && info->si_pid == getpid()
      && index < slots.size())
    answer(slots[index], static_cast<std::uint32_t>(text), context);
  else
    pass_on(signal, info, context);
  errno = saved;
}

// -- the one who asks --------------------------------------------------------

std::atomic<bool> enabled{true};
std::atomic<int> wanted_signal{0};

/// 0 if it did not work.
int install_handler() noexcept {
  const auto wanted = wanted_signal.load(std::memory_order_relaxed);
  const auto result = wanted != 0 ? wanted : SIGRTMIN + 9;
  warm_up_stack_capture();
  struct sigaction ours {};
  ours.sa_sigaction = coppice_on_stack_signal;
  // On the alternative stack, if there is one: the other may be used up.
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  // Known before ours can run.
  if (sigaction(result, nullptr, &previous) != 0)
    return 0;
  return sigaction(result, &ours, nullptr) == 0 ? result : 0;
}

int the_signal() noexcept {
  static const auto result = install_handler();
  return result;
}

/// A directed signal with a value: what `pthread_sigqueue` does, for threads
/// of which only the number is known.
bool send(std::int32_t thread, int signal, std::uint64_t text) noexcept {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(text);
  return syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal, &info) == 0;
}

void await_change(slot& x, std::uint32_t state,
                  std::chrono::nanoseconds rest) noexcept {
  using std::chrono::seconds;
  const auto whole = std::chrono::duration_cast<seconds>(rest);
  timespec time{};
  time.tv_sec = static_cast<time_t>(whole.count());
  time.tv_nsec = static_cast<long>((rest - whole).count());
  syscall(SYS_futex, &x.state, FUTEX_WAIT_PRIVATE, state, &time, nullptr, 0);
}

/// Waits until it is written or `end` has come; then nobody writes to it.
std::optional<raw_stack> await_answer(slot& x, std::uint32_t question,
                                      clock::time_point end) noexcept {
  while (true) {
    const auto state = x.state.load(std::memory_order_acquire);
    if (state == with(question, written)) {
      const auto result = x.stack;
      x.state.store(freed(question), std::memory_order_release);
      return result;
    }
    const auto rest = end - clock::now();
    if (rest > rest.zero())
      await_change(x, state, rest);
    else if (change(x, state,
                    state == question ? freed(question) : with(question, left)))
      return std::nullopt;
  }
}

} // namespace

void set_thread_stacks(const thread_stacks& how) noexcept {
  wanted_signal.store(how.signal, std::memory_order_relaxed);
  enabled.store(how.enabled, std::memory_order_relaxed);
}

// The signal's handler stays for good, even when switched off: what is still
// under way would end the process without it.
std::optional<raw_stack>
stack_of_thread(std::int32_t thread,
                std::chrono::nanoseconds timeout) noexcept {
  if (thread <= 0 || !enabled.load(std::memory_order_relaxed)
      || stack_depth() == 0)
    return std::nullopt;
  const auto signal = the_signal();
  if (signal == 0)
    return std::nullopt;
  const auto end = clock::now() + std::min(timeout, longest_wait);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    auto& mine = slots[i];
    auto state = mine.state.load(std::memory_order_relaxed);
    const auto question = with(state, asked);
    if ((state & phase_mask) != idle || !change(mine, state, question))
      continue; // somebody else's
    if (send(thread, signal, letter(i, question)))
      return await_answer(mine, question, end);
    mine.state.store(freed(question), std::memory_order_release);
    return std::nullopt;
  }
  return std::nullopt;
}

} // namespace coppice

#else

namespace coppice {

void set_thread_stacks(const thread_stacks&) noexcept {}

std::optional<raw_stack> stack_of_thread(std::int32_t,
                                         std::chrono::nanoseconds) noexcept {
  return std::nullopt;
}

} // namespace coppice

#endif

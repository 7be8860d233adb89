// This file is part of coppice. License: see LICENSE in the source root.

// Stands in for `__cxa_throw`, which every throw expression calls, and notes
// the stack on the way. Linked by whom it pleases: `coppice::throw_hook`
// defines the symbol itself, so that a shared libstdc++ finds ours first, for
// throws inside of it (`std::stoi`) as well. `coppice::throw_hook_wrap` is for
// static libstdc++, where a second definition would not link.
//
// There must be no throw expression in this file: the compiler then declares
// `__cxa_throw` by itself, in a different way. None of it is `[[noreturn]]`,
// which would keep the compiler from jumping to the original, and leave one
// more frame for each exception to be unwound through.

#include "coppice/stack_walk.hpp"
#include "coppice/throw_stack.hpp"

#include <cstdlib>

#ifndef COPPICE_THROW_HOOK_WRAP
#  include <dlfcn.h>
#  include <unistd.h>

#  include <atomic>
#endif

using throw_function = void (*)(void*, void*, void (*)(void*));

namespace {

const struct announcement {
  announcement() noexcept { coppice::detail::throw_hook_is_here(); }
} here_we_are;

/// Where the call of `__cxa_throw` would return to is in the first frame.
[[gnu::always_inline]] inline void note_throw(void* object,
                                              const void* caller) noexcept {
  if (auto* const place = coppice::detail::place_for_stack(object))
    coppice::walk_stack(caller, 3, coppice::stack_depth(), *place);
}

} // namespace

#ifdef COPPICE_THROW_HOOK_WRAP

extern "C" void __real___cxa_throw(void*, void*, void (*)(void*));

extern "C" void __wrap___cxa_throw(void* object, void* type,
                                   void (*destroy)(void*)) {
  note_throw(object, __builtin_return_address(0));
  return __real___cxa_throw(object, type, destroy);
}

#else

namespace {

std::atomic<throw_function> original{nullptr};

[[noreturn]] void give_up() noexcept {
  constexpr char text[]
    = "coppice: nobody to throw the exception: there is no __cxa_throw behind "
      "that of coppice::throw_hook. Link libstdc++ as a shared library, before "
      "anything is loaded at run time; with -static-libstdc++ link "
      "coppice::throw_hook_wrap instead.\n";
  // The process ends here; there is nobody left to tell if this fails.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text,
                                              sizeof(text) - 1);
  std::abort();
}

throw_function find_original() noexcept {
  auto* const found
    = reinterpret_cast<throw_function>(dlsym(RTLD_NEXT, "__cxa_throw"));
  if (found == nullptr)
    give_up();
  original.store(found, std::memory_order_relaxed);
  return found;
}

} // namespace

// By another name, as the compiler knows that `__cxa_throw` does not return.
// Seen by the other libraries, however visible the rest of the program is.
extern "C" [[gnu::visibility("default")]] void
coppice_throw(void* object, void* type,
              void (*destroy)(void*)) __asm__("__cxa_throw");

extern "C" void coppice_throw(void* object, void* type,
                              void (*destroy)(void*)) {
  note_throw(object, __builtin_return_address(0));
  auto* next = original.load(std::memory_order_relaxed);
  if (next == nullptr)
    next = find_original();
  return next(object, type, destroy);
}

#endif

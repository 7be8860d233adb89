// This file is part of coppice. License: see LICENSE in the source root.

// Functions, files and lines by Boost.Stacktrace, with the back end
// "backtrace": it reads the debug information itself. "basic" knows exported
// names only, and "addr2line" starts a process per address and finds no line in
// position-independent programs.

#include "coppice/stack_back_end.hpp"

// The code is in a library of Boost's, whose name says which back end it is.
#define BOOST_STACKTRACE_LINK
#include <boost/stacktrace/frame.hpp>

namespace coppice::stack_back_end_of_this_build {

const char* const name = "boost";

source_frame find_source(std::uintptr_t address) {
  // Boost looks up what it is given; a return address is one past the call.
  const boost::stacktrace::frame frame{
    reinterpret_cast<const void*>(address - 1)};
  return {.address = address,
          .function = frame.name(),
          .file = frame.source_file(),
          .line = static_cast<std::uint32_t>(frame.source_line())};
}

} // namespace coppice::stack_back_end_of_this_build

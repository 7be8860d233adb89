// This file is part of coppice. License: see LICENSE in the source root.

// The main function of tests that use CAF: CAF 1.x wants to know all message
// types before the first configuration object.

#include "coppice/testkit/virtual_clock_compat.hpp"
#include "coppice/type_ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__)
/// LeakSanitizer asks at the end of the process. What a simulated hang leaves
/// behind is known, and must not hide in silence what others do: each test is
/// a process of its own under ctest.
extern "C" int __lsan_is_turned_off() {
  return coppice::compat::hangs_were_simulated ? 1 : 0;
}
#endif

int main(int argc, char** argv) {
  coppice::init_types();
  testing::InitGoogleMock(&argc, argv); // and GoogleTest with it
  return RUN_ALL_TESTS();
}

// This file is part of coppice. License: see LICENSE in the source root.

// The main function of tests that use CAF: CAF 1.x wants to know all message
// types before the first configuration object.

#include "coppice/type_ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  coppice::init_types();
  testing::InitGoogleMock(&argc, argv); // and GoogleTest with it
  return RUN_ALL_TESTS();
}

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/admission_spec.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>

namespace coppice::policy {
namespace {

using namespace std::literals;

/// The one defect that `spec` has, as text.
std::string defect_of(const admission_spec& spec) {
  return to_string(validate(spec, "pool.admission"));
}

// TOPOLOGY-1: the defaults are sound, and so is "never".
TEST(AdmissionSpec, IsSoundAsItComes) {
  EXPECT_EQ(defect_of({}), "");
  EXPECT_EQ(defect_of({.standing = {.interval = infinity}}), "");
}

// TOPOLOGY-1: each field has its range, and a defect says which.
TEST(AdmissionSpec, NamesWhatIsOutOfRange) {
  EXPECT_EQ(defect_of({.queue_depth_max = 0}),
            "pool.admission.queue_depth_max: found 0, expected a number from "
            "1 to 1000000");
  EXPECT_EQ(defect_of({.standing = {.target = 0s}}),
            "pool.admission.standing.target: found 0s, expected a finite "
            "length above zero");
  EXPECT_EQ(defect_of({.standing = {.target = 200ms}}),
            "pool.admission.standing.interval: found 100ms, expected at least "
            "`target`, which is 200ms");
  EXPECT_EQ(defect_of({.standing = {.interval = 2h}}),
            "pool.admission.standing.interval: found 2h, expected a length "
            "from `target` to 1h, or infinity");
  EXPECT_EQ(defect_of({.service = {.quantile = std::nan("")}}),
            "pool.admission.service.quantile: found nan, expected a number "
            "from 0.5 to 0.999");
  EXPECT_EQ(defect_of({.service = {.samples_min = 0}}),
            "pool.admission.service.samples_min: found 0, expected a number "
            "from 1 to 100000");
  EXPECT_EQ(defect_of({.service = {.window = 2h}}),
            "pool.admission.service.window: found 2h, expected a length "
            "above zero, up to 1h");
  EXPECT_THAT(validate({.service = {.window = 1h}}, "x"), testing::IsEmpty());
  EXPECT_EQ(defect_of({.shares = {.sheddable = 1.5}}),
            "pool.admission.shares.sheddable: found 1.5, expected a number "
            "from 0 to 1");
  EXPECT_EQ(defect_of({.retry_after = {.min = 1s, .max = 1s}}),
            "pool.admission.retry_after.max: found 1s, expected at least twice "
            "`min`, which is 1s");
  EXPECT_EQ(defect_of({.stale = static_cast<stale_check>(9)}),
            "pool.admission.stale: found 9, expected none, expired or "
            "cannot_finish");
}

// TOPOLOGY-1: all defects at once, in the order of the fields.
TEST(AdmissionSpec, ReportsAllDefects) {
  const admission_spec spec{.queue_depth_max = 2'000'000,
                            .service = {.window = infinity,
                                        .relearn_after = -1s},
                            .retry_after = {.min = 0s, .max = 48h}};
  const auto found = validate(spec, "x");
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[0].field, "x.queue_depth_max");
  EXPECT_EQ(found[1].field, "x.service.window");
  EXPECT_EQ(found[2].field, "x.service.relearn_after");
  EXPECT_EQ(found[3].field, "x.retry_after.min");
  EXPECT_EQ(found[4].field, "x.retry_after.max");
}

} // namespace
} // namespace coppice::policy

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/spec_check_json.hpp"

#include "coppice/policy/spec_check.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace coppice {
namespace {

using namespace std::literals;

// TOPOLOGY-2: what the text says, for programs; null is unlimited, or never.
TEST(SpecCheckJson, SaysWhatTheTextSays) {
  policy::supervisor_spec spec{.name = "app"};
  spec.children.push_back({.id = "a",
                           .start = [](start_context&) {},
                           .shutdown = policy::infinity,
                           .kill_grace = 0s});
  spec.children.push_back(spec.children[0]);
  spec.children[1].id = "b\xff";
  const auto found = policy::check(spec, 100ms, policy::infinity);
  const auto x = nlohmann::json::parse(to_json(found));
  EXPECT_EQ(x.at("format"), 1);
  EXPECT_EQ(x.at("warnings"), found.count(policy::finding_severity::warning));
  EXPECT_EQ(x.at("scan_interval_ms"), 100);
  EXPECT_EQ(x.at("stop_within_ms"), nullptr);
  ASSERT_EQ(x.at("worst").size(), 3u);
  const nlohmann::json worker{
    {"path", "/app/a"},        {"kind", "worker"},
    {"restarts", 3},           {"gives_up_within_ms", 0},
    {"start_within_ms", 5000}, {"stop_within_ms", nullptr}};
  EXPECT_EQ(x.at("worst").at(1), worker);
  const auto& first = x.at("findings").at(0);
  EXPECT_EQ(first.at("severity"), "warning");
  EXPECT_EQ(first.at("kind"), "stop_unbounded");
  EXPECT_EQ(first.at("field"), "app.children[0](a).shutdown");
  EXPECT_EQ(first.at("alike"), 1);
}

} // namespace
} // namespace coppice

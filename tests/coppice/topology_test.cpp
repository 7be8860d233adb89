// This file is part of coppice. License: see LICENSE in the source root.

// Sound files: what they say is what is read. TOPOLOGY-1.

#include "coppice/topology.hpp"

#include "support/topology_kinds.hpp"
#include "support/tree_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace coppice {

namespace {

using namespace std::literals;
using policy::restart_type;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

topology read(std::string_view text) {
  auto result = parse_topology(text, "test", test::kinds());
  if (!result) {
    ADD_FAILURE() << to_string(result.defects());
    return {};
  }
  return std::move(result).value();
}

// TOPOLOGY-1: a file that says nothing is the same as a spec that says nothing.
TEST(Topology, HasTheDefaultsOfTheSpecs) {
  const auto x
    = read("app { children = [ { id = \"a\", kind = \"idler\" } ] }");
  const supervisor_spec expected;
  EXPECT_EQ(x.root.name, "app");
  EXPECT_EQ(x.root.strategy, expected.strategy);
  EXPECT_EQ(x.root.limits, expected.limits);
  EXPECT_EQ(x.root.weights, expected.weights);
  EXPECT_EQ(x.root.on_exhausted, expected.on_exhausted);
  EXPECT_EQ(x.root.pause_length, expected.pause_length);
  EXPECT_EQ(x.root.auto_shutdown, expected.auto_shutdown);
  EXPECT_EQ(x.root.revive, expected.revive);
  EXPECT_EQ(x.root.children_max, expected.children_max);
  ASSERT_EQ(x.root.children.size(), 1u);
  const auto& child = x.root.children.front();
  const child_spec plain;
  EXPECT_EQ(child.id, "a");
  EXPECT_TRUE(child.start);
  EXPECT_FALSE(child.supervisor);
  EXPECT_EQ(child.restart, plain.restart);
  EXPECT_EQ(child.shutdown, plain.shutdown);
  EXPECT_EQ(child.kill_grace, plain.kill_grace);
  EXPECT_EQ(child.start_deadline, plain.start_deadline);
  EXPECT_EQ(child.backoff, plain.backoff);
  EXPECT_EQ(child.limits, plain.limits);
  EXPECT_EQ(child.on_exhausted, plain.on_exhausted);
  EXPECT_EQ(child.on_failure, plain.on_failure);
  EXPECT_EQ(child.significant, plain.significant);
  EXPECT_EQ(child.heartbeat, plain.heartbeat);
  EXPECT_EQ(child.isolation, plain.isolation);
  EXPECT_EQ(child.parking, plain.parking);
}

TEST(Topology, ReadsEveryFieldOfASupervisor) {
  const auto x = read(R"(
app {
  strategy = "rest_for_one"
  limits { restarts_max = 7, window = "infinity" }
  weights { crash = 2, stall = 3, start_failure = 4, node_loss = 5, clean_end = 0 }
  on_exhausted = "pause"
  pause_length = 2min
  auto_shutdown = "any_significant"
  revive = "all"
  children_max = 12
  children = []
}
)");
  EXPECT_EQ(x.root.strategy, policy::rest_for_one);
  EXPECT_EQ(x.root.limits, (restart_limits{7, infinity}));
  EXPECT_EQ(x.root.weights, (cause_weights{2, 3, 4, 5, 0}));
  EXPECT_EQ(x.root.on_exhausted, exhaustion_action::pause);
  EXPECT_EQ(x.root.pause_length, time_limit{2min});
  EXPECT_EQ(x.root.auto_shutdown, auto_shutdown_mode::any_significant);
  EXPECT_EQ(x.root.revive, policy::revive_mode::all);
  EXPECT_EQ(x.root.children_max, count_limit{12});
}

TEST(Topology, ReadsEveryFieldOfAChild) {
  const auto x = read(R"(
app {
  auto_shutdown = "all_significant"
  children = [ {
    id = "a", kind = "idler", restart = "temporary", shutdown = "brutal_kill"
    kill_grace = 3s, start_deadline = "infinity"
    backoff {
      first = 1ms, cap = 1h, factor = 1.5, jitter = "equal", jitter_ratio = 1
      reset_after = "infinity"
    }
    limits { restarts_max = "infinity", window = 1s }
    on_exhausted = "park"
    on_failure = [ { failure_class = "bad_input", action = "stop" } ]
    significant = true
    heartbeat {
      stall_timeout = 2s, idle_timeout = 4s, extension_max = 0s
      probe_every = 1s, detector = "phi_accrual"
      phi {
        threshold = 3.5, samples_max = 50, deviation_min = 1us
        acceptable_pause = 10ns, first_estimate = 500ms
      }
    }
    isolation = "thread"
    parking { messages_max = 9, overflow = "drop_oldest" }
  } ]
}
)");
  ASSERT_EQ(x.root.children.size(), 1u);
  const auto& child = x.root.children.front();
  EXPECT_EQ(child.restart, restart_type::temporary);
  EXPECT_EQ(child.shutdown, stop_grace{policy::brutal_kill});
  EXPECT_EQ(child.kill_grace, time_limit{3s});
  EXPECT_EQ(child.start_deadline, time_limit{infinity});
  EXPECT_EQ(child.backoff,
            (backoff_spec{1ms, 1h, 1.5, jitter_kind::equal, 1.0, infinity}));
  EXPECT_EQ(child.limits, (restart_limits{infinity, 1s}));
  EXPECT_EQ(child.on_exhausted, exhaustion_action::park);
  EXPECT_THAT(child.on_failure,
              ElementsAre(failure_rule{"bad_input", failure_action::stop}));
  EXPECT_TRUE(child.significant);
  EXPECT_EQ(child.heartbeat,
            (heartbeat_spec{2s, 4s, 0s, 1s, detector_kind::phi_accrual,
                            policy::phi_spec{3.5, 50, 1us, 10ns, 500ms}}));
  EXPECT_EQ(child.isolation, isolation_kind::thread);
  EXPECT_EQ(child.parking, (parking_spec{9, parking_overflow::drop_oldest}));
}

TEST(Topology, ReadsEveryOption) {
  const auto x = read(R"(
options {
  scan_interval = 50ms, abandoned_max = 3, seed = 18446744073709551615
  on_root_end = "keep", exit_code = 255, start_within = 1min
  stop_within = "infinity", root_isolation = "shared"
}
app {}
)");
  EXPECT_EQ(x.options.scan_interval, 50ms);
  EXPECT_EQ(x.options.abandoned_max, 3u);
  EXPECT_EQ(x.options.seed, 18446744073709551615u);
  EXPECT_EQ(x.options.on_root_end, root_end_action::keep);
  EXPECT_EQ(x.options.exit_code, 255);
  EXPECT_EQ(x.options.start_within, time_limit{1min});
  EXPECT_EQ(x.options.stop_within, time_limit{infinity});
  EXPECT_EQ(x.options.root_isolation, isolation_kind::shared);
}

TEST(Topology, NestsSupervisors) {
  const auto x = read(R"(
app { children = [
  { id = "in", shutdown = 1s, supervisor { strategy = "one_for_all", children = [
    { id = "x", kind = "idler" }, { id = "y", kind = "idler" } ] } } ] }
)");
  ASSERT_EQ(x.root.children.size(), 1u);
  const auto& inner = x.root.children.front();
  ASSERT_TRUE(inner.supervisor);
  EXPECT_FALSE(inner.start);
  EXPECT_EQ(inner.shutdown, stop_grace{1s});
  EXPECT_EQ(inner.supervisor->strategy, policy::one_for_all);
  ASSERT_EQ(inner.supervisor->children.size(), 2u);
  EXPECT_EQ(inner.supervisor->children[1].id, "y");
}

// What a file says wins over the defaults of the kind, whatever its order.
TEST(Topology, KindsMaySetDefaults) {
  const auto x = read(R"(
app { children = [
  { id = "a", kind = "timid" },
  { restart = "permanent", heartbeat { idle_timeout = 9s }, kind = "timid", id = "b" },
] }
)");
  ASSERT_EQ(x.root.children.size(), 2u);
  const auto& [a, b] = std::tie(x.root.children[0], x.root.children[1]);
  EXPECT_EQ(a.restart, restart_type::temporary);
  EXPECT_EQ(a.heartbeat.stall_timeout, time_limit{7s});
  EXPECT_EQ(b.restart, restart_type::permanent);
  EXPECT_EQ(b.heartbeat.stall_timeout, time_limit{7s});
  EXPECT_EQ(b.heartbeat.idle_timeout, time_limit{9s});
}

TEST(Topology, KindsMayBeSupervisors) {
  const auto x = read("app { children = [ { id = \"a\", kind = \"pair\" } ] }");
  ASSERT_EQ(x.root.children.size(), 1u);
  ASSERT_TRUE(x.root.children.front().supervisor);
  EXPECT_EQ(x.root.children.front().supervisor->children.size(), 2u);
}

TEST(Topology, DescribesWhatKindsWereGiven) {
  const auto x = read(R"(
app { children = [
  { id = "a", kind = "picky", arguments { every = 1000ms, word = "a \"b\"\n" } },
  { id = "in", supervisor { children = [
    { id = "b", kind = "picky", arguments { word = "", size = 9, mode = "slow"
        share = 0.5, loud = true, words = [ "x", "y" ], environment { B = "2", A = "1" } } } ] } },
] }
)");
  EXPECT_THAT(
    x.descriptions,
    ElementsAre(
      Pair("/app/a", R"(picky(word = "a \"b\"\n", every = 1s, size = 3, )"
                     R"(share = 1, loud = false, mode = "fast", words = [], )"
                     R"(environment = {}))"),
      Pair("/app/in/b",
           R"(picky(word = "", every = 100ms, size = 9, share = 0.5, )"
           R"(loud = true, mode = "slow", words = ["x", "y"], )"
           R"(environment = { A = "1", B = "2" }))")));
}

// Two files that differ in a secret differ, and yet nobody sees it.
TEST(Topology, DescribesSecretsWithoutShowingThem) {
  const auto description = [](const std::string& secret) {
    const auto x
      = read("app { children = [ { id = \"a\", kind = \"secretive\", "
             "arguments { password = \""
             + secret + "\" } } ] }");
    return x.descriptions.at("/app/a");
  };
  EXPECT_THAT(description("hunter2"), Not(HasSubstr("hunter2")));
  EXPECT_EQ(description("hunter2"), description("hunter2"));
  EXPECT_NE(description("hunter2"), description("hunter3"));
}

// -- syntax ------------------------------------------------------------------

TEST(Topology, TakesCommentsEverywhere) {
  const auto x = read("# one { \" [ ; \xc3\xa9\n"
                      "app { # two\n"
                      "  # three\n"
                      "  pause_length = 5s # four\n"
                      "  children = [ # five ]\n"
                      "    { id = \"a # b ; c\", # six\n"
                      "      kind = \"idler\" } # seven\n"
                      "    , # eight\n"
                      "  ] # nine\n"
                      "} # ten");
  ASSERT_EQ(x.root.children.size(), 1u);
  EXPECT_EQ(x.root.children.front().id, "a # b ; c");
  EXPECT_EQ(x.root.pause_length, time_limit{5s});
}

TEST(Topology, TakesTheLineEndsAndMarksOfOtherSystems) {
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "app {\r\n  strategy = \"one_for_all\"\r\n}\r\n")
              .root.strategy,
            policy::one_for_all);
}

TEST(Topology, TakesSectionsWithAndWithoutEquals) {
  EXPECT_EQ(read("app = { limits = { window = 1h } }").root.limits.window,
            time_limit{1h});
}

TEST(Topology, TakesAnyTextAsAnId) {
  const auto x = read(
    "app { children = [ { id = \"a).b[0](\\\\ \xe2\x82\xac\", "
    "kind = \"idler\" } ] }");
  ASSERT_EQ(x.root.children.size(), 1u);
  EXPECT_EQ(x.root.children.front().id, "a).b[0](\\ \xe2\x82\xac");
}

// Each level takes three brackets: 64 supervisors are below what is refused.
TEST(Topology, TakesAsManyLevelsAsSpecsDo) {
  std::string text = "app { ";
  std::string end = "}";
  for (auto i = 1; i < 64; ++i) {
    text += "children = [ { id = \"x\", supervisor { ";
    end += " } ] }";
  }
  EXPECT_TRUE(parse_topology(text + end, "test", test::kinds()));
}

// -- files -------------------------------------------------------------------

TEST(Topology, IsLoadedFromAFile) {
  const auto path = std::filesystem::path{testing::TempDir()} / "sound.top";
  std::ofstream{path} << "app { pause_length = 3s }";
  const auto x = load_topology(path.string(), test::kinds());
  ASSERT_TRUE(x) << to_string(x.defects());
  EXPECT_EQ(x->root.pause_length, time_limit{3s});
  std::filesystem::remove(path);
}

// Ten thousand children in well below a second, in a build without
// optimisation and on a machine that does other things as well.
TEST(Topology, ReadsTenThousandChildren) {
  std::string text = "app { children = [\n";
  for (auto i = 0; i < 10'000; ++i)
    text += "{ id = \"w" + std::to_string(i)
            + "\", kind = \"picky\", arguments { word = \"x\" }, "
              "backoff { first = 1s, cap = 5s } },\n";
  const auto x = read(text + "] }");
  EXPECT_EQ(x.root.children.size(), 10'000u);
  EXPECT_EQ(x.descriptions.size(), 10'000u);
}

// -- trees -------------------------------------------------------------------

class TopologyTree : public testkit::supervision_test {
public:
  testkit::child_script feed = script("feed");
};

// TOPOLOGY-1: what a file says is what runs.
TEST_F(TopologyTree, RunsAsTheFileSays) {
  worker_kinds kinds;
  kinds.register_worker("feed", "The feed.", [this](auto&, child_spec& child) {
    child.start = feed.spec().start;
  });
  const auto x = parse_topology("options { seed = 1 }\n"
                                "app { children = [ { id = \"feed\", kind = "
                                "\"feed\"\n backoff { first = 3s, jitter = "
                                "\"none\" } } ] }",
                                "test", kinds);
  ASSERT_TRUE(x) << to_string(x.defects());
  supervise(x->root, x->options);
  feed.now(testkit::throws());
  run_for(2900ms);
  EXPECT_EQ(feed.lives(), 1u);
  run_for(200ms);
  EXPECT_EQ(feed.lives(), 2u);
}

} // namespace

} // namespace coppice

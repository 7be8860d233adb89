// This file is part of coppice. License: see LICENSE in the source root.

// Processes by the hundred, restarted again and again: none overlaps with the
// one before, and nothing is left behind.

#include "support/process_tree.hpp"
#include "support/seed.hpp"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>

namespace coppice::test {

using ProcessRestartTest = process_tree;

namespace {

/// A fork takes a hundred times as long with ASan's shadow memory.
#if defined(__SANITIZE_ADDRESS__)
constexpr int lives = 40;
#else
constexpr int lives = 200;
#endif

/// A path for a lock, which nobody else uses.
std::string lock_file(const std::string& id) {
  return (std::filesystem::temp_directory_path()
          / ("coppice-lock-" + std::to_string(::getpid()) + '-' + id))
    .string();
}

/// Ends with code 42 if another life holds the lock.
child_spec locked(const std::string& id) {
  return process(
    {.command = puppet(
       {"lock=" + lock_file(id), "ignore_term", "notify=READY=1", "hang"}),
     .notify = true},
    {.id = id, .shutdown = 20ms, .backoff = {.first = 0ms, .cap = 0ms}});
}

} // namespace

// RESTART-1, STOP-2, STOP-4, TOPOLOGY-3: "never two lives of one child", for
// processes.
TEST_F(ProcessRestartTest, NeverOverlapsUnderAStormOfKills) {
  seeded seeded_test;
  auto& random = seeded_test.random;
  constexpr int children = 4;
  constexpr int kills = 150;
  const auto made_anew = [] {
    std::vector<child_spec> inner;
    for (int i = 0; i < children; ++i)
      inner.push_back(locked(std::to_string(i)));
    return std::vector<child_spec>{
      {.id = "storm",
       .supervisor = supervisor_spec{.limits = {.restarts_max = infinity},
                                     .children = std::move(inner)},
       .backoff = {.first = 0ms, .cap = 0ms}}};
  };
  run(made_anew());
  ASSERT_TRUE(tree) << describe(*why_not);
  for (int i = 0; i < kills; ++i) {
    if (i % 10 == 5) { // the same, by other start functions (TOPOLOGY-3)
      auto next = spec;
      next.children = made_anew();
      const auto report = tree->reload(std::move(next), patience);
      ASSERT_TRUE(report) << describe(report.error());
    }
    const auto storm = tree->supervisor("/app/storm", patience);
    ASSERT_TRUE(storm) << describe(storm.error());
    const auto id = std::to_string(random.up_to(children - 1));
    const auto line = storm->get_child(id, patience);
    const auto process = line ? status_of_process(line->actor) : std::nullopt;
    switch (random.up_to(3)) {
      case 0: // the actor
        if (process)
          caf::anon_send_exit(line->actor, caf::exit_reason::kill);
        break;
      case 1: // the process
        if (process && process->pid > 0)
          ::kill(process->pid, SIGKILL);
        break;
      case 2: // the supervisor, which takes its children along
        if (random.up_to(9) == 0)
          caf::anon_send_exit(storm->handle(), caf::exit_reason::kill);
        break;
      default: // all of them, in the middle of what they are at
        if (line)
          static_cast<void>(storm->terminate_child(id, patience));
        static_cast<void>(storm->restart_child(id, patience));
    }
  }
  EXPECT_TRUE(tree->stop(patience).complete);
  int overlaps = 0;
  static_cast<void>(log.wait_for(
    [&overlaps](const supervision_event& x) {
      if (x.because && root_cause(*x.because).message.ends_with("code 42"))
        ++overlaps;
      return true;
    },
    0));
  EXPECT_EQ(overlaps, 0) << log.text();
  for (int i = 0; i < children; ++i)
    std::filesystem::remove(lock_file(std::to_string(i)));
}

// STOP-2: nothing is left of many lives.
TEST_F(ProcessRestartTest, LeavesNothingBehind) {
  run_one(
    {.command = puppet({"notify=READY=1", "fork=1", "hang"}), .notify = true});
  ASSERT_TRUE(tree) << describe(*why_not);
  ASSERT_TRUE(wait_for(event_kind::ready));
  const auto before = open_descriptors();
  std::vector<::pid_t> seen;
  for (int i = 2; i <= lives; ++i) {
    seen.push_back(pid());
    caf::anon_send_exit(actor(), caf::exit_reason::kill);
    ASSERT_TRUE(wait_for(event_kind::ready, i)) << log.text();
  }
  EXPECT_LE(open_descriptors(), before + 2);
  for (const auto x : seen)
    EXPECT_TRUE(group_is_gone(x)) << x;
  EXPECT_TRUE(tree->stop(patience).complete);
  // No zombie: this program has no children any more.
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

// STOP-4: nor does a process outlive the program that supervises it, however
// that dies. The body runs in a program of its own.
TEST_F(ProcessRestartTest, DiesWithTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ::setenv("COPPICE_TEST_PID_FILE", lock_file("pid").c_str(), 0);
  const std::string file = std::getenv("COPPICE_TEST_PID_FILE");
  EXPECT_EXIT(
    {
      run_one({.command = {"sleep", "1000"}});
      std::ofstream{file} << pid();
      ::kill(::getpid(), SIGKILL);
    },
    testing::KilledBySignal(SIGKILL), "");
  ::unsetenv("COPPICE_TEST_PID_FILE");
  ::pid_t process = 0;
  std::ifstream{file} >> process;
  ASSERT_GT(process, 0);
  EXPECT_TRUE(comes_true([process] { return group_is_gone(process); }));
  std::filesystem::remove(file);
}

// START-1, STOP-1
TEST_F(ProcessRestartTest, RunsTwoHundredAtATime) {
  constexpr int count = lives;
  std::vector<child_spec> children;
  for (int i = 0; i < count; ++i)
    children.push_back(
      process({.command = {"sleep", "1000"}}, {.id = std::to_string(i)}));
  run(std::move(children));
  ASSERT_TRUE(tree) << describe(*why_not);
  std::vector<::pid_t> all;
  for (int i = 0; i < count; ++i)
    all.push_back(pid(std::to_string(i)));
  EXPECT_THAT(all, testing::Each(testing::Gt(0)));
  for (const auto x : all)
    ::kill(x, SIGKILL);
  for (int i = 0; i < count; ++i)
    EXPECT_TRUE(wait_for(event_kind::ready, 2, "/app/" + std::to_string(i)));
  EXPECT_TRUE(tree->stop(patience).complete);
  for (const auto x : all)
    EXPECT_TRUE(group_is_gone(x));
}

} // namespace coppice::test

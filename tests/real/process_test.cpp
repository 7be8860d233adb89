// This file is part of coppice. License: see LICENSE in the source root.

// Operating-system processes as children: how they begin and end.

#include "support/process_tree.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace coppice::test {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::Pair;

using ProcessTest = process_tree;

// -- how one begins -----------------------------------------------------------

// START-1, STOP-1
TEST_F(ProcessTest, RunsAndIsAskedToEnd) {
  run_one({.command = {"sleep", "1000"}});
  ASSERT_TRUE(tree) << describe(*why_not);
  const auto group = pid();
  ASSERT_GT(group, 0);
  EXPECT_TRUE(status().is_ready);
  const auto report = tree->stop(patience);
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(report.left.empty());
  EXPECT_TRUE(group_is_gone(group));
  EXPECT_EQ(log.count(event_kind::failed), 0) << log.text();
}

// START-2, FAILURE-1
TEST_F(ProcessTest, SaysWhyItCannotBeExecuted) {
  const auto folder = std::filesystem::temp_directory_path()
                      / ("coppice-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::ofstream{folder / "plain"} << "#!/bin/sh\n";
  const auto fails = [this](process_options options, const std::string& text) {
    run_one(std::move(options));
    ASSERT_FALSE(tree);
    const auto& why = root_cause(*why_not);
    EXPECT_EQ(why.failure_class, failure_classes::start_failure);
    EXPECT_THAT(why.message, HasSubstr(text));
    EXPECT_TRUE(is_well_formed(why));
  };
  fails({.command = {(folder / "none").string()}}, "No such file");
  fails({.command = {(folder / "plain").string()}}, "Permission denied");
  fails({.command = {folder.string()}}, "Permission denied");
  fails({.command = {"sleep", "1000"}, .directory = "/nowhere/to/be/found"},
        "cannot enter the directory");
  fails({.command = {"no-program-has-this-name"}}, "PATH");
  fails({}, "process.command: found nothing");
  std::filesystem::remove_all(folder);
}

// START-1
TEST_F(ProcessTest, InheritsNothingButWhatItShould) {
  ::setenv("NOTIFY_SOCKET", "@of-our-own-supervisor", 1);
  ::setenv("COPPICE_INHERITED", "yes", 1);
  const auto fd = ::open("/dev/null", O_RDONLY); // without CLOEXEC
  ::signal(SIGUSR2, SIG_IGN);
  run_one({.command = puppet({"inherited", "env=NOTIFY_SOCKET", "env=MINE",
                              "env=COPPICE_INHERITED", "cwd", "umask", "hang"}),
           .environment = {{"MINE", "a b"}},
           .directory = "/",
           .umask = 027});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_EQ(lines.wait_for("fds"), "fds 0 1 2");
  EXPECT_EQ(lines.wait_for("SigBlk"), "SigBlk:\\t0000000000000000");
  EXPECT_EQ(lines.wait_for("SigIgn"), "SigIgn:\\t0000000000000000");
  EXPECT_EQ(lines.wait_for("leads"), "leads its group");
  EXPECT_EQ(lines.wait_for("NOTIFY"), "NOTIFY_SOCKET=(none)");
  EXPECT_EQ(lines.wait_for("MINE"), "MINE=a b");
  EXPECT_EQ(lines.wait_for("COPPICE"), "COPPICE_INHERITED=yes");
  EXPECT_EQ(lines.wait_for("cwd"), "cwd=/");
  EXPECT_EQ(lines.wait_for("umask"), "umask=" + std::to_string(027));
  ::unsetenv("NOTIFY_SOCKET");
  ::signal(SIGUSR2, SIG_DFL);
  ::close(fd);
}

// START-1
TEST_F(ProcessTest, StartsFromACleanEnvironment) {
  ::setenv("COPPICE_INHERITED", "yes", 1);
  run_one({.command = puppet({"env=COPPICE_INHERITED", "hang"}),
           .clean_environment = true});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_EQ(lines.wait_for("COPPICE"), "COPPICE_INHERITED=(none)");
}

// -- how one ends -------------------------------------------------------------

// FAILURE-1, FAILURE-5: with what it wrote last.
TEST_F(ProcessTest, FailsWithItsExitCodeAndItsLastLines) {
  run_one({.command = {COPPICE_TEST_PUPPET, "err=cannot find \x1b[31mthe\x07 x",
                       "out=goodbye", "long=5000", "await=10",
                       "raw=no line end", sensitive_text{"exit=3"}}});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("awaiting");
  ::kill(pid(), SIGUSR1);
  const auto why = because(event_kind::failed);
  EXPECT_EQ(why.failure_class, "process_exit");
  EXPECT_EQ(why.message, "exited with code 3");
  EXPECT_EQ(why.where.path, "/app/p");
  EXPECT_FALSE(why.is_bug);
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_THAT(why.misc, Contains(Pair("exit_code", "3")));
  EXPECT_THAT(why.misc, Contains(Key("pid")));
  EXPECT_THAT(why.misc.at("command"),
              AllOf(HasSubstr("[sensitive]"), Not(HasSubstr("exit=3"))));
  EXPECT_THAT(describe(why),
              AllOf(HasSubstr("out: goodbye"), Not(HasSubstr("exit=3")),
                    HasSubstr("err: cannot find \\x1b[31mthe\\x07 x"),
                    HasSubstr("no line end"), HasSubstr("yyy...")));
  for (const auto& [key, value] : why.misc)
    EXPECT_LE(value.size(), 1'005u) << key;
  EXPECT_TRUE(wait_for(event_kind::ready, 2));
}

// FAILURE-1
TEST_F(ProcessTest, FailsWithTheSignalThatEndedIt) {
  run_one({.command = {"sleep", "1000"}});
  ASSERT_TRUE(tree) << describe(*why_not);
  ::kill(pid(), SIGSEGV);
  const auto why = because(event_kind::failed);
  EXPECT_EQ(why.failure_class, "process_signal");
  EXPECT_THAT(why.message, HasSubstr("was ended by signal 11 (SIGSEGV)"));
  EXPECT_TRUE(wait_for(event_kind::ready, 2));
}

// RESTART-1
TEST_F(ProcessTest, EndsCleanlyWithACodeOfSuccess) {
  run_one({.command = puppet({"exit=7"}), .success_exit_codes = {0, 7}},
          {.restart = transient});
  ASSERT_TRUE(wait_for(event_kind::stopped)) << log.text();
  EXPECT_EQ(log.count(event_kind::failed), 0) << log.text();
}

// STOP-1: asked, its grace, killed.
TEST_F(ProcessTest, KillsOneThatIgnoresTheSignal) {
  run_one({.command = puppet({"ignore_term", "out=deaf", "hang"})},
          {.shutdown = 200ms});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("deaf");
  const auto group = pid();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(tree->root().terminate_child("p", patience));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(group_is_gone(group));
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 5s);
  EXPECT_TRUE(tree->abandoned().empty());
}

// STOP-1, FAILURE-1: asked to, it ends with an error of its own.
TEST_F(ProcessTest, ReportsAnEndThatWentWrong) {
  run_one({.command = puppet({"on_term=9", "out=on", "hang"})});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("on");
  EXPECT_TRUE(tree->root().terminate_child("p", patience));
  EXPECT_EQ(because(event_kind::failed).message, "exited with code 9");
}

// STOP-1
TEST_F(ProcessTest, TakesExit143ForTheSignalThatWasSent) {
  run_one({.command = puppet({"on_term=143", "out=on", "hang"})});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("on");
  EXPECT_TRUE(tree->root().terminate_child("p", patience));
  EXPECT_EQ(log.count(event_kind::failed), 0) << log.text();
}

// STOP-1, STOP-4: the whole group, children that ignore signals included. A
// program that is there for orphans has them as its own, and waits for them.
TEST_F(ProcessTest, EndsTheWholeGroup) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  run_one({.command = puppet({"fork=5", "hang"})});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("forked");
  const auto stopped = pid();
  EXPECT_TRUE(tree->root().terminate_child("p", patience));
  EXPECT_EQ(::kill(-stopped, 0), -1) << "not even zombies";
  EXPECT_EQ(errno, ESRCH);
  EXPECT_TRUE(tree->root().restart_child("p", patience));
  lines.wait_for("forked", 2);
  const auto crashed = pid(); // and where the process ends by itself
  ::kill(crashed, SIGKILL);
  EXPECT_TRUE(wait_for(event_kind::ready, 3)) << log.text();
  EXPECT_EQ(::kill(-crashed, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

// RESTART-1: as any actor that is killed.
TEST_F(ProcessTest, DiesWithItsActor) {
  run_one({.command = {"sleep", "1000"}});
  ASSERT_TRUE(tree) << describe(*why_not);
  const auto first = pid();
  caf::anon_send_exit(actor(), caf::exit_reason::kill);
  EXPECT_TRUE(wait_for(event_kind::ready, 2));
  EXPECT_TRUE(group_is_gone(first));
  EXPECT_EQ(because(event_kind::failed).failure_class, "killed");
}

// FAILURE-6: it takes no messages.
TEST_F(ProcessTest, RefusesRequests) {
  run_one({.command = {"sleep", "1000"}});
  ASSERT_TRUE(tree) << describe(*why_not);
  caf::scoped_actor self{system};
  bool refused = false;
  compat::ask(self, actor(), patience, 42)
    .receive([](int) {}, [&](const caf::error&) { refused = true; });
  EXPECT_TRUE(refused);
}

// OBSERVE-1: memory and time are bounded, and others have their turn.
TEST_F(ProcessTest, BearsOneThatFloods) {
  process_options calm{.command = puppet({"notify=READY=1", "beats=20"}),
                       .notify = true,
                       .watchdog = 2s};
  run({process({.command = puppet({"flood"})}, {.id = "p"}),
       process(calm, {.id = "calm"})});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_TRUE(comes_true([this] {
    return status().output_bytes > std::uint64_t{64} * 1024 * 1024;
  }));
  const auto seen = status();
  EXPECT_LE(seen.last_lines.size(), 20u);
  for (const auto& line : seen.last_lines)
    EXPECT_LE(line.text.size(), 1'000u);
  EXPECT_EQ(log.count(event_kind::stalled), 0) << log.text();
  const auto group = pid();
  EXPECT_TRUE(tree->stop(patience).complete);
  EXPECT_TRUE(group_is_gone(group));
}

} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

// What processes say of themselves, by sd_notify, and what is asked of them.

#include "support/process_tree.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace coppice::test {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Pair;

using ProcessNotifyTest = process_tree;

// START-1
TEST_F(ProcessNotifyTest, IsReadyWhenItSaysSo) {
  std::thread starter{[this] {
    run_one({.command = puppet({"pid", "await=10",
                                "notify=READY=1\n"
                                "STATUS=serving \x07 all",
                                "barrier", "hang"}),
             .notify = true});
  }};
  const auto said = lines.wait_for("pid=");
  lines.wait_for("awaiting");
  EXPECT_EQ(log.count(event_kind::ready), 0) << log.text();
  ::kill(std::stoi(said.substr(4)), SIGUSR1);
  starter.join();
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_TRUE(wait_for(event_kind::ready));
  lines.wait_for("barrier passed");
  EXPECT_EQ(status().text, "serving \\x07 all");
}

// START-1, START-2: with what it wrote, and what it was at.
TEST_F(ProcessNotifyTest, HasToBeReadyByItsStartDeadline) {
  run_one({.command = puppet({"out=thinking", "notify=STATUS=thinking hard",
                              "barrier", "hang"}),
           .notify = true},
          {.start_deadline = 500ms});
  ASSERT_FALSE(tree);
  const auto* why = find(*why_not, failure_classes::start_timeout);
  ASSERT_NE(why, nullptr) << describe(*why_not);
  EXPECT_THAT(why->misc, Contains(Pair("status", "thinking hard")));
  EXPECT_THAT(why->misc, Contains(Pair("output_01", "out: thinking")));
}

// START-2
TEST_F(ProcessNotifyTest, FailsWhereItEndsBeforeItIsReady) {
  run_one({.command = puppet({"err=no config", "exit=0"}), .notify = true});
  ASSERT_FALSE(tree);
  EXPECT_EQ(root_cause(*why_not).message,
            "exited with code 0, before it was ready");
  EXPECT_THAT(describe(*why_not), HasSubstr("err: no config"));
}

// HEARTBEAT-4: 300 ms are not enough, but it asks for more.
TEST_F(ProcessNotifyTest, GetsMoreTimeToStart) {
  std::thread starter{[this] {
    run_one({.command = puppet({"notify=EXTEND_TIMEOUT_USEC=30000000", "pid",
                                "await=10", "notify=READY=1", "hang"}),
             .notify = true},
            {.start_deadline = 300ms});
  }};
  const auto said = lines.wait_for("pid=");
  const auto long_after = std::chrono::steady_clock::now() + 600ms;
  EXPECT_TRUE(
    comes_true([&] { return std::chrono::steady_clock::now() > long_after; }));
  ::kill(std::stoi(said.substr(4)), SIGUSR1);
  starter.join();
  EXPECT_TRUE(tree) << describe(*why_not);
}

// HEARTBEAT-1, HEARTBEAT-6, STOP-1: found by silence, and really gone.
TEST_F(ProcessNotifyTest, FindsOneThatStopsItsWatchdog) {
  run_one({.command = puppet({"ignore_term", "env=WATCHDOG_USEC",
                              "notify=READY=1\nWATCHDOG=1\nSTATUS=stuck",
                              "out=last words", "hang"}),
           .notify = true,
           .watchdog = 300ms},
          {.shutdown = 100ms});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_EQ(lines.wait_for("WATCHDOG"), "WATCHDOG_USEC=300000");
  const auto first = pid();
  const auto why = because(event_kind::stalled);
  EXPECT_EQ(why.failure_class, failure_classes::stall);
  EXPECT_THAT(why.misc, Contains(Pair("last_mark", "WATCHDOG=1")));
  EXPECT_THAT(why.misc, Contains(Pair("status", "stuck")));
  EXPECT_THAT(describe(why), HasSubstr("out: last words"));
  EXPECT_TRUE(wait_for(event_kind::ready, 2)) << log.text();
  EXPECT_TRUE(group_is_gone(first));
}

// HEARTBEAT-1, HEARTBEAT-7
TEST_F(ProcessNotifyTest, LeavesOneAloneThatBeats) {
  run_one({.command
           = puppet({"env=WATCHDOG_PID", "pid", "notify=READY=1", "beats=20"}),
           .notify = true,
           .watchdog = 1s});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_EQ(lines.wait_for("WATCHDOG_PID=").substr(13),
            lines.wait_for("pid=").substr(4));
  const auto later = std::chrono::steady_clock::now() + 2s;
  EXPECT_TRUE(
    comes_true([&] { return std::chrono::steady_clock::now() > later; }));
  EXPECT_EQ(log.count(event_kind::stalled), 0) << log.text();
}

// HEARTBEAT-6
TEST_F(ProcessNotifyTest, TakesItsWordThatItIsStuck) {
  run_one({.command = puppet({"notify=READY=1", "await=10",
                              "notify=WATCHDOG=trigger\nERRNO=5", "hang"}),
           .notify = true});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("awaiting");
  ::kill(pid(), SIGUSR1);
  const auto why = because(event_kind::failed);
  EXPECT_EQ(why.failure_class, failure_classes::stall);
  EXPECT_THAT(why.misc, Contains(Pair("errno", "5")));
  EXPECT_TRUE(wait_for(event_kind::ready, 2));
}

// STOP-1, HEARTBEAT-4
TEST_F(ProcessNotifyTest, GetsMoreTimeToEnd) {
  run_one({.command = puppet({"ignore_term", "notify=READY=1", "await=15",
                              "notify=STOPPING=1\n"
                              "EXTEND_TIMEOUT_USEC=30000000",
                              "await=10", "exit=0"}),
           .notify = true},
          {.shutdown = 300ms});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("awaiting");
  const auto process = pid();
  std::thread stopper{
    [this] { EXPECT_TRUE(tree->root().terminate_child("p", patience)); }};
  lines.wait_for("awaiting", 2);
  const auto long_after = std::chrono::steady_clock::now() + 600ms;
  EXPECT_TRUE(
    comes_true([&] { return std::chrono::steady_clock::now() > long_after; }));
  EXPECT_EQ(::kill(process, SIGUSR1), 0) << "it was killed";
  stopper.join();
  EXPECT_EQ(log.count(event_kind::failed), 0) << log.text();
}

// HEARTBEAT-1: who may speak for it.
TEST_F(ProcessNotifyTest, HearsOnlyWhomItShould) {
  const auto speaks = [this](const std::string& id, notify_access_kind access) {
    return process({.command
                    = puppet({"notify_by_child=STATUS=from a child", "hang"}),
                    .notify_access = access,
                    .watchdog = 1h,
                    .on_line = lines.recorder()},
                   {.id = id});
  };
  run({speaks("p", notify_access_kind::main),
       speaks("q", notify_access_kind::all)});
  ASSERT_TRUE(tree) << describe(*why_not);
  lines.wait_for("barrier passed", 2);
  EXPECT_EQ(status("p").text, "");
  EXPECT_GE(status("p").notifications_refused, 1u);
  EXPECT_EQ(status("q").text, "from a child");
  EXPECT_EQ(status("q").notifications_refused, 0u);
}

// HEARTBEAT-1: a stranger, even one that knows the name.
TEST_F(ProcessNotifyTest, IgnoresStrangers) {
  run_one({.command = puppet({"env=NOTIFY_SOCKET", "hang"}),
           .notify_access = notify_access_kind::all,
           .watchdog = 1h});
  ASSERT_TRUE(tree) << describe(*why_not);
  const auto name = lines.wait_for("NOTIFY_SOCKET=@").substr(14);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  const auto status_of_run = std::system(
    (COPPICE_TEST_PUPPET + " notify=WATCHDOG=trigger barrier >/dev/null"s)
      .c_str());
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(status_of_run, 0);
  EXPECT_EQ(status().notifications_refused, 2u);
  EXPECT_EQ(log.count(event_kind::failed), 0);
}

// -- health checks ------------------------------------------------------------

// HEARTBEAT-1, START-1
TEST_F(ProcessNotifyTest, AsksByCommand) {
  const auto flag = std::filesystem::temp_directory_path()
                    / ("coppice-check-" + std::to_string(::getpid()));
  std::filesystem::create_directory(flag);
  run_one({.command = puppet({"hang"}),
           .check = {.command = {"test", "-d", flag.string()},
                     .every = 50ms,
                     .timeout = 5s,
                     .before_ready = true}},
          {.heartbeat = {.idle_timeout = 1s}});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_TRUE(comes_true([this] { return status().checks_passed > 3; }));
  EXPECT_EQ(log.count(event_kind::stalled), 0) << log.text();
  std::filesystem::remove(flag);
  const auto why = because(event_kind::stalled);
  EXPECT_THAT(why.misc, Contains(Pair("check_failure", "exit code 1")));
}

// HEARTBEAT-1: a check that hangs is ended, with all of its group.
TEST_F(ProcessNotifyTest, EndsCheckThatTakesTooLong) {
  run_one({.command = puppet({"hang"}),
           .check = {.command = puppet({"fork=1", "ignore_term", "hang"}),
                     .every = 10ms,
                     .timeout = 50ms}},
          {.heartbeat = {.idle_timeout = 1h}});
  ASSERT_TRUE(tree) << describe(*why_not);
  EXPECT_TRUE(comes_true([this] { return status().checks_failed > 3; }));
  EXPECT_EQ(status().check_failure, "no answer within 50ms");
  EXPECT_TRUE(tree->stop(patience).complete);
}

// HEARTBEAT-1
TEST_F(ProcessNotifyTest, AsksByConnection) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(server, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(server, 1), 0);
  ::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size);
  run_one({.command = puppet({"hang"}),
           .check
           = {.tcp = "127.0.0.1:" + std::to_string(ntohs(address.sin_port)),
              .send = "PING\r\n",
              .expect = "+PONG",
              .every = 10ms,
              .timeout = 60s}},
          {.heartbeat = {.idle_timeout = 1h}});
  ASSERT_TRUE(tree) << describe(*why_not);
  const auto answer = [server](const char* text) {
    const int client = ::accept(server, nullptr, nullptr);
    char got[6];
    EXPECT_EQ(::recv(client, got, 6, MSG_WAITALL), 6);
    ::send(client, text, std::strlen(text), MSG_NOSIGNAL);
    ::close(client);
  };
  answer("+PONG\r\n");
  EXPECT_TRUE(comes_true([this] { return status().checks_passed == 1; }));
  answer("-ERR\x07\r\n");
  EXPECT_TRUE(comes_true([this] { return status().checks_failed == 1; }));
  EXPECT_EQ(status().check_failure, "answered \"-ERR\\x07\"");
  ::close(server);
  EXPECT_TRUE(comes_true([this] { return status().checks_failed > 1; }));
  EXPECT_EQ(status().check_failure, "connect: Connection refused");
}

} // namespace coppice::test

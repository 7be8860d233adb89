// This file is part of coppice. License: see LICENSE in the source root.

// What is decided about processes without any: options, the notification
// protocol, lines, ends, and the kind `command` of topology files.

#include "coppice/actors/process.hpp"
#include "coppice/actors/process_address.hpp"
#include "coppice/actors/process_kind.hpp"
#include "coppice/actors/process_notify.hpp"
#include "coppice/actors/process_output.hpp"
#include "coppice/actors/process_plan.hpp"
#include "coppice/topology.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coppice::test {

namespace {

using namespace std::literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string defects_of(const process_options& options) {
  return to_string(validate(options, "p"));
}

std::string check_defects(const health_check& check) {
  return defects_of({.command = {"sleep", "1"}, .check = check});
}

std::vector<std::string> kept(process_output& from) {
  std::vector<std::string> result;
  for (const auto& x : from.last())
    result.push_back((x.is_error ? "err:" : "out:") + x.text);
  return result;
}

} // namespace

// TOPOLOGY-1
TEST(ProcessOptions, AcceptsWhatIsSound) {
  EXPECT_EQ(defects_of({.command = {"sleep", "1"}}), "");
  EXPECT_EQ(defects_of({.command = {"/there/need/not/be/such/a/file"},
                        .environment = {{"A", "b=c"}},
                        .directory = "/nowhere",
                        .umask = 0,
                        .notify = true,
                        .watchdog = 1ms,
                        .stop_signal = SIGINT,
                        .success_exit_codes = {},
                        .output_lines_max = 0}),
            "");
  EXPECT_EQ(check_defects({.tcp = "[::1]:80", .expect = "HTTP"}), "");
}

// TOPOLOGY-1: each is named, with what is expected.
TEST(ProcessOptions, NamesWhatIsNotSound) {
  EXPECT_THAT(defects_of(process_options{}), HasSubstr("p.command: found"));
  EXPECT_THAT(defects_of({.command = {""}}), HasSubstr("p.command[0]"));
  EXPECT_THAT(defects_of({.command = {"./x"}}), HasSubstr("absolute path"));
  EXPECT_THAT(defects_of({.command = {"no-such-program-at-all"}}),
              HasSubstr("PATH"));
  EXPECT_THAT(defects_of({.command = {"sleep", "a\0b"s}}),
              HasSubstr("p.command[1]"));
  EXPECT_THAT(defects_of({.command = {"sleep"},
                          .environment = {{"PATH", "/nowhere:relative"}}}),
              HasSubstr("PATH"));
  for (const auto* name : {"", "A=B", "NOTIFY_SOCKET", "WATCHDOG_PID"})
    EXPECT_THAT(defects_of(
                  {.command = {"sleep"}, .environment = {{name, "x"}}}),
                HasSubstr("p.environment."));
  EXPECT_THAT(defects_of({.command = {"sleep"}, .directory = "tmp"}),
              HasSubstr("p.directory"));
  for (const auto mask : {-2, 01000})
    EXPECT_THAT(defects_of({.command = {"sleep"}, .umask = mask}),
                HasSubstr("p.umask"));
  EXPECT_THAT(defects_of({.command = {"sleep"}, .watchdog = 0s}),
              HasSubstr("p.watchdog"));
  for (const auto signal : {0, 65, -1, SIGKILL, SIGSTOP})
    EXPECT_THAT(defects_of({.command = {"sleep"}, .stop_signal = signal}),
                HasSubstr("p.stop_signal"));
  EXPECT_THAT(defects_of({.command = {"sleep"}, .success_exit_codes = {256}}),
              HasSubstr("p.success_exit_codes[0]"));
  EXPECT_THAT(defects_of({.command = {"sleep"}, .output_lines_max = 21}),
              HasSubstr("p.output_lines_max"));
}

// TOPOLOGY-1
TEST(ProcessOptions, NamesWhatIsWrongWithAHealthCheck) {
  EXPECT_THAT(check_defects({.command = {"true"}, .tcp = "1.1.1.1:1"}),
              HasSubstr("p.check.tcp"));
  for (const auto* address : {"localhost:80", "1.2.3.4", "1.2.3.4:0", ":80",
                              "1.2.3.4:65536", "[::1]", "::1:80x", "[x]:80"})
    EXPECT_THAT(check_defects({.tcp = address}), HasSubstr("p.check.tcp"))
      << address;
  EXPECT_THAT(check_defects({.send = "x"}), HasSubstr("check.send"));
  EXPECT_THAT(check_defects({.command = {"true"}, .every = 0s}),
              HasSubstr("p.check.every"));
  EXPECT_THAT(check_defects({.command = {"true"}, .timeout = infinity}),
              HasSubstr("p.check.timeout"));
  EXPECT_THAT(check_defects({.before_ready = true}),
              HasSubstr("p.check.before_ready"));
}

// FAILURE-5
TEST(ProcessOptions, ShowsCommandsWithoutWhatIsSensitive) {
  EXPECT_EQ(shown({"a", "b c", "", "d\n", sensitive_text{"secret"}}),
            "a 'b c' '' 'd\\n' [sensitive]");
  EXPECT_THAT(defects_of({.command = {"sleep", sensitive_text{"se\0cret"s}}}),
              Not(HasSubstr("cret")));
}

// HEARTBEAT-1
TEST(ProcessNotification, IsReadLineByLine) {
  const auto x = parse_notification("READY=1\nSTATUS=a=b \nWATCHDOG=1\n"
                                    "EXTEND_TIMEOUT_USEC=1500\nERRNO=2\n"
                                    "STOPPING=1\nMAINPID=1\nX_OWN=1");
  EXPECT_EQ(x, (notification{.ready = true,
                             .stopping = true,
                             .beat = true,
                             .status = "a=b ",
                             .error_number = 2,
                             .more_time = 1500us}));
  EXPECT_TRUE(parse_notification("WATCHDOG=trigger").trigger);
  EXPECT_EQ(
    parse_notification("EXTEND_TIMEOUT_USEC=18446744073709551615").more_time,
    365 * 24h);
}

// HEARTBEAT-1: what it does not know, it ignores.
TEST(ProcessNotification, IgnoresWhatItDoesNotKnow) {
  for (const auto text :
       {""sv, "\n\n"sv, "READY"sv, "READY=0"sv, "ready=1"sv, "=1"sv,
        "READY=1 "sv, "WATCHDOG=2"sv, "ERRNO=x"sv, "EXTEND_TIMEOUT_USEC=-1"sv,
        "EXTEND_TIMEOUT_USEC=99999999999999999999"sv, "\0READY=1"sv})
    EXPECT_EQ(parse_notification(text), notification{}) << text;
}

// FAILURE-5
TEST(ProcessOutput, KeepsTheLastLinesHarmless) {
  process_output x{3, nullptr};
  x.feed(false, "one\ntwo\r\nth");
  x.feed(true, "\x1b[2J\n");
  x.feed(false, "ree\nfo");
  x.finish();
  EXPECT_THAT(kept(x), ElementsAre("err:\\x1b[2J", "out:three", "out:fo"));
  EXPECT_EQ(x.lines(), 5u);
}

// FAILURE-1: bounded, wherever it is cut.
TEST(ProcessOutput, CutsLongLines) {
  process_output x{2, nullptr};
  x.feed(false, std::string(1'000, 'a') + '\n');
  x.feed(false, std::string(600, 'b'));
  x.feed(false, std::string(600, 'b') + '\n');
  ASSERT_EQ(x.last().size(), 2u);
  EXPECT_EQ(x.last()[0].text, std::string(1'000, 'a'));
  EXPECT_EQ(x.last()[1].text, std::string(997, 'b') + "...");
  x.feed(true, std::string(999, '\x01') + '\n');
  EXPECT_LE(x.last()[1].text.size(), 1'000u);
  EXPECT_TRUE(x.last()[1].text.ends_with("\\x01..."));
}

TEST(ProcessOutput, KeepsNothingWhereNobodyAsks) {
  std::vector<std::string> seen;
  process_output none{0, nullptr};
  process_output told{0, [&](const process_line& line) {
                        seen.push_back(line.text);
                      }};
  for (auto* x : {&none, &told}) {
    x->feed(false, "a\nb\n");
    EXPECT_THAT(x->last(), IsEmpty());
    EXPECT_EQ(x->lines(), 2u);
  }
  EXPECT_THAT(seen, ElementsAre("a", "b"));
}

// RESTART-1
TEST(ProcessEnd, IsCleanOrNot) {
  const process_options options{.stop_signal = SIGINT,
                                .success_exit_codes = {0, 3}};
  using kind = process_end::kind;
  process_end x{.what = kind::exited};
  EXPECT_FALSE(is_clean(x, options)) << "not ready yet";
  x.status.is_ready = true;
  EXPECT_TRUE(is_clean(x, options));
  x.code = 3;
  EXPECT_TRUE(is_clean(x, options));
  x.code = 130; // 128 + SIGINT
  EXPECT_FALSE(is_clean(x, options));
  x.was_asked = true;
  EXPECT_TRUE(is_clean(x, options));
  x = {.what = kind::signalled, .code = SIGINT};
  EXPECT_FALSE(is_clean(x, options));
  x.was_asked = true;
  EXPECT_TRUE(is_clean(x, options));
  x.code = SIGKILL;
  EXPECT_FALSE(is_clean(x, options)) << "by somebody else";
  x.said_stuck = true;
  x.was_killed = true;
  EXPECT_FALSE(is_clean(x, options));
}

// TOPOLOGY-1
TEST(ProcessKind, ReadsAChildFromAFile) {
  worker_kinds kinds;
  register_command_kind(kinds);
  const auto read = [&kinds](const std::string& arguments) {
    return parse_topology("app { children = [ { id = \"a\", kind = "
                          "\"command\", arguments { "
                            + arguments + " } } ] }",
                          "file", kinds);
  };
  const auto sound = read("command = [\"sleep\", \"1\"], watchdog = 3s, "
                          "stop_signal = \"INT\", "
                          "secret_arguments = [\"hunter2\"]");
  ASSERT_TRUE(sound) << to_string(sound.defects());
  const auto& child = sound.value().root.children.front();
  EXPECT_TRUE(child.start);
  EXPECT_EQ(child.heartbeat.idle_timeout, time_limit{3s});
  EXPECT_THAT(sound.value().descriptions.at("/app/a"),
              Not(HasSubstr("hunter2")));
  const auto bad = read("command = [\"./sleep\"], stop_signal = \"SIGNIX\", "
                        "check_tcp = \"localhost:80\"");
  ASSERT_FALSE(bad);
  const auto text = to_string(bad.defects());
  EXPECT_THAT(text, HasSubstr("(a).arguments.command"));
  EXPECT_THAT(text, HasSubstr("arguments.stop_signal"));
  EXPECT_THAT(text, HasSubstr("arguments.check_tcp"));
  EXPECT_FALSE(read(""));
}

} // namespace coppice::test

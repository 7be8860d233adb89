// This file is part of coppice. License: see LICENSE in the source root.

// `coppice run`: how it begins, how it is told to end, and with which status.

#include "cli/cli_fixture.hpp"

#include <sys/stat.h>

namespace cli_test {

namespace {

using Running = CommandLine;

// STOP-3
TEST_F(Running, StopsInOrderOnSigint) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(it.stop(SIGINT), 0) << it.err();
  EXPECT_THAT(it.out(), AllOf(HasSubstr("stopping app, within 10s"),
                              HasSubstr("app has stopped after")));
}

TEST_F(Running, StopsInOrderOnSigterm) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(it.stop(SIGTERM), 0) << it.err();
  EXPECT_THAT(it.out(), HasSubstr("app has stopped after"));
}

TEST_F(Running, EndsByItselfAfterTheTimeThatItWasGiven) {
  running it{*this, file("app.conf", quiet()), {"--for", "200ms"}};
  EXPECT_EQ(it.wait_for_end(), 0) << it.err();
  EXPECT_THAT(it.out(), HasSubstr("0 failures, 0 stalls, 0 restarts"));
}

TEST_F(Running, PrintsTheAddressOfItsPageFirst) {
  running it{*this, file("app.conf", quiet()), {"--for", "100ms"}};
  EXPECT_EQ(it.wait_for_end(), 0) << it.err();
  EXPECT_TRUE(it.out().starts_with("app: http://127.0.0.1:")) << it.out();
}

TEST_F(Running, WithoutAnObserverNobodyFindsIt) {
  running it{*this, file("app.conf", quiet()), {"--no-observe"}};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(coppice({"tree"}).status, 69);
  EXPECT_EQ(it.stop(), 0);
  EXPECT_THAT(it.out(), Not(HasSubstr("http://")));
}

// STOP-4: a child that takes a minute, and a user who does not wait for it.
TEST_F(Running, ASecondSignalKillsWhatIsLeft) {
  running it{*this,
             file("app.conf", "options { stop_within = 120s }\n"
                              "app { children = [ { id = \"slow\", "
                              "kind = \"slow_stopper\", shutdown = 100s, "
                              "arguments { takes = 90s } } ] }\n")};
  ASSERT_TRUE(it.is_ready()) << it.err();
  it.signal(SIGINT);
  ASSERT_TRUE(it.wait_for("stopping app")) << it.out();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(it.stop(SIGINT), 0) << it.out();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{30});
  EXPECT_THAT(it.out(), HasSubstr("once more: what is left is killed"));
}

// STOP-2, STOP-3: its thread cannot be killed, so it is named.
TEST_F(Running, SaysWhoWasLeftBehindAndEndsWithOne) {
  running it{*this,
             file("app.conf",
                  "options { scan_interval = 10ms, stop_within = 2s }\n"
                  "app { children = [ { id = \"deaf\", kind = \"hanger\", "
                  "shutdown = 50ms, kill_grace = 50ms, arguments "
                  "{ every = 10ms, after = 50ms, how = \"blocked\", lives = 1 "
                  "}, heartbeat { stall_timeout = 100ms } } ] }\n")};
  ASSERT_TRUE(it.wait_for("/app/deaf#1 abandoned")) << it.out() << it.err();
  EXPECT_EQ(it.stop(), 1) << it.out();
  EXPECT_THAT(it.out(), HasSubstr("left behind: /app/deaf, life 1"));
}

const auto hopeless = std::string{
  "app { limits { restarts_max = 1, window = 60s }, children = [ { id = "
  "\"x\", kind = \"crasher\", arguments { every = 5ms, after_beats = 1, "
  "message = \"no such table\" }, backoff { first = 1ms, cap = 2ms } } ] }\n"};

// BUDGET-7
TEST_F(Running, ATreeThatGivesUpEndsWithSeventyAndTheWholeStory) {
  const auto it = coppice({"run", file("app.conf", hopeless)});
  EXPECT_EQ(it.status, 70) << it.out;
  EXPECT_THAT(it.err, AllOf(HasSubstr("app gave up after"),
                            HasSubstr("no such table"), HasSubstr("/app/x")));
}

TEST_F(Running, ATreeThatGivesUpEndsWithTheStatusOfItsFile) {
  const auto it = coppice(
    {"run", file("app.conf", "options { on_root_end = \"exit_process\", "
                             "exit_code = 42 }\n"
                               + hopeless)});
  EXPECT_EQ(it.status, 42) << it.err;
  EXPECT_THAT(it.err, HasSubstr("no such table"));
  EXPECT_FALSE(std::filesystem::exists(runtime_file("app")));
}

TEST_F(Running, ATreeThatGivesUpAbortsIfItsFileSaysSo) {
  const auto it = coppice(
    {"run", file("app.conf",
                 "options { on_root_end = \"abort_process\" }\n" + hopeless)});
  EXPECT_EQ(it.status, 128 + SIGABRT) << it.err;
  EXPECT_THAT(it.err, HasSubstr("no such table"));
}

TEST_F(Running, ATreeThatIsKeptOutlivesItsRoot) {
  running it{*this, file("app.conf",
                         "options { on_root_end = \"keep\" }\n" + hopeless)};
  ASSERT_TRUE(it.is_ready());
  ASSERT_TRUE(it.wait_for("gave up")) << it.out();
  EXPECT_EQ(it.stop(), 0) << it.out();
}

TEST_F(Running, ATreeThatFinishesEndsWithZero) {
  const auto it = coppice(
    {"run", file("app.conf",
                 "app { auto_shutdown = \"all_significant\", children = [ "
                 "{ id = \"x\", kind = \"crasher\", restart = \"transient\", "
                 "significant = true, arguments { every = 5ms, after_beats = "
                 "2, clean = true } } ] }\n")});
  EXPECT_EQ(it.status, 0) << it.err;
  EXPECT_THAT(it.out, HasSubstr("app has ended by itself"));
}

// START-2
TEST_F(Running, ATreeThatCannotStartEndsWithSeventy) {
  const auto it = coppice(
    {"run", file("app.conf", "app { children = [ { id = \"x\", kind = "
                             "\"command\", arguments { command = "
                             "[\"/nowhere/at/all\"] } } ] }\n")});
  EXPECT_EQ(it.status, 70) << it.out << it.err;
  EXPECT_THAT(it.err, HasSubstr("/nowhere/at/all"));
}

// TOPOLOGY-1: nothing starts.
TEST_F(Running, ABadFileIsRefusedAsAWhole) {
  const auto path = file("app.conf", "app { children = [\n { id = \"a\", kind "
                                     "= \"beeter\" },\n { id = \"a\", restart "
                                     "= \"allways\", kind = \"beater\" } ] }");
  const auto it = coppice({"run", path});
  EXPECT_EQ(it.status, 65);
  EXPECT_THAT(it.err,
              AllOf(HasSubstr(path + ":2:"),
                    HasSubstr("did you mean \"beater\"?"),
                    HasSubstr(path + ":3:"), HasSubstr("\"permanent\"")))
    << "a kind, a restart type, and an id that is there twice";
  EXPECT_EQ(it.out, "");
}

TEST_F(Running, AFileThatIsNotThereIsABadFile) {
  const auto it = coppice({"run", "/nowhere/app.conf"});
  EXPECT_EQ(it.status, 65);
  EXPECT_THAT(it.err, HasSubstr("/nowhere/app.conf"));
}

TEST_F(Running, ItsRuntimeFileIsForItsUserAloneAndGoesWithIt) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  struct stat is {};
  ASSERT_EQ(stat(runtime_file("app").c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat((folder() / "coppice").c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0700U);
  EXPECT_EQ(it.stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(runtime_file("app")));
}

TEST_F(Running, APortThatIsTakenIsSaid) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  const auto json = nlohmann::json::parse(std::ifstream{runtime_file("app")});
  auto url = json["url"].get<std::string>();
  const auto port = url.substr(url.rfind(':') + 1);
  const auto other
    = coppice({"run", file("other.conf", quiet("other")),
               "--observe=127.0.0.1:" + port.substr(0, port.find('/'))});
  EXPECT_EQ(other.status, 73) << other.out;
  EXPECT_THAT(other.err, HasSubstr("127.0.0.1"));
  EXPECT_THAT(other.out, Not(HasSubstr("ready")));
}

TEST_F(Running, ADirectoryThatOthersMayUseIsRefused) {
  std::filesystem::create_directory(folder() / "coppice");
  chmod((folder() / "coppice").c_str(), 0755);
  const auto it = coppice({"run", file("app.conf", quiet())});
  EXPECT_EQ(it.status, 73) << it.out;
  EXPECT_THAT(it.err, HasSubstr("chmod 700"));
}

TEST_F(Running, TheFileOfAProcessThatIsGoneIsReplaced) {
  std::filesystem::create_directory(folder() / "coppice");
  chmod((folder() / "coppice").c_str(), 0700);
  // A process that has existed, and was waited for: this one's child.
  program gone{"true", {}};
  const auto pid = gone.pid();
  ASSERT_EQ(gone.wait_for_end(), 0);
  std::ofstream{runtime_file("app")}
    << nlohmann::json{{"name", "app"},
                      {"pid", pid},
                      {"url", "http://127.0.0.1:1/"},
                      {"token", "0123456789abcdef"}};
  EXPECT_THAT(coppice({"list"}).out, HasSubstr("No tree runs here"));
  EXPECT_FALSE(std::filesystem::exists(runtime_file("app")));
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(coppice({"list", "--names"}).out, "app\n");
}

// TOPOLOGY-3
TEST_F(Running, SighupReloadsTheFile) {
  const auto path = file("app.conf", quiet());
  running it{*this, path};
  ASSERT_TRUE(it.is_ready()) << it.err();
  file("app.conf", "app { limits { restarts_max = 7 }, children = [ { id = "
                   "\"a\", kind = \"beater\", arguments { every = 50ms } }, "
                   "{ id = \"c\", kind = \"beater\" } ] }\n");
  it.signal(SIGHUP);
  ASSERT_TRUE(it.wait_for("version 2")) << it.out() << it.err();
  EXPECT_TRUE(it.wait_for("/app/c")) << it.out();
  EXPECT_EQ(it.stop(), 0);
  EXPECT_THAT(it.out(), AllOf(HasSubstr("limits.restarts_max: 3 -> 7"),
                              HasSubstr("/app/a: from its next life on")));
}

TEST_F(Running, SighupWithABadFileChangesNothing) {
  const auto path = file("app.conf", quiet());
  running it{*this, path};
  ASSERT_TRUE(it.is_ready()) << it.err();
  file("app.conf", "app { children = [ { id = \"a\" ");
  it.signal(SIGHUP);
  ASSERT_TRUE(it.wait_for("Nothing was changed.")) << it.out() << it.err();
  EXPECT_EQ(tree()["version"], 1);
  EXPECT_EQ(it.stop(), 0);
  EXPECT_THAT(it.out(), HasSubstr(path + ":1:"));
}

} // namespace

} // namespace cli_test

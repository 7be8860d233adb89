// This file is part of coppice. License: see LICENSE in the source root.

// `coppice tree`, `ctl`, `reload`, `events` and `list`, on trees that run.

#include "cli/cli_fixture.hpp"

#include <sstream>

namespace cli_test {

namespace {

using Steer = CommandLine;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> result;
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

TEST_F(Steer, WithoutATreeItSaysHowToStartOne) {
  for (const auto* command : {"tree", "reload", "events"}) {
    const auto it = coppice({command});
    EXPECT_EQ(it.status, 69) << command;
    EXPECT_THAT(it.err, HasSubstr("coppice run FILE")) << command;
  }
  EXPECT_EQ(coppice({"list"}).status, 0);
}

// OBSERVE-2
TEST_F(Steer, TheTreeAsTextJsonGraphAndPaths) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_THAT(coppice({"tree"}).out,
              AllOf(HasSubstr("app"), HasSubstr("a"), HasSubstr("running")));
  const auto json = tree();
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["root"]["children"].size(), 2U);
  EXPECT_THAT(coppice({"tree", "--dot"}).out, HasSubstr("digraph"));
  EXPECT_EQ(coppice({"tree", "--paths"}).out, "/app\n/app/a\n/app/b\n");
}

TEST_F(Steer, OfTwoTreesOneHasToBeNamed) {
  running one{*this, file("one.conf", quiet("one"))};
  running two{*this, file("two.conf", quiet("two"))};
  ASSERT_TRUE(one.is_ready() && two.is_ready()) << one.err() << two.err();
  const auto vague = coppice({"tree"});
  EXPECT_EQ(vague.status, 69);
  EXPECT_THAT(vague.err, AllOf(HasSubstr("one, two"), HasSubstr("--name one")));
  EXPECT_EQ(coppice({"tree", "--paths", "--name", "two"}).out,
            "/two\n/two/a\n/two/b\n");
  const auto wrong = coppice({"tree", "--name", "three"});
  EXPECT_EQ(wrong.status, 69);
  EXPECT_THAT(wrong.err, HasSubstr("one, two"));
}

TEST_F(Steer, TwoTreesOfOneNameAreToldApart) {
  const auto path = file("app.conf", quiet());
  running one{*this, path};
  ASSERT_TRUE(one.is_ready()) << one.err();
  running two{*this, path};
  ASSERT_TRUE(two.is_ready()) << two.err();
  const auto second = "app-" + std::to_string(two.pid());
  EXPECT_EQ(coppice({"list", "--names"}).out, "app\n" + second + '\n');
  EXPECT_EQ(coppice({"ctl", "shutdown", "--name", second}).status, 0);
  EXPECT_EQ(two.wait_for_end(), 0);
  EXPECT_EQ(coppice({"list", "--names"}).out, "app\n");
}

TEST_F(Steer, StopStartRestartAndHold) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  const auto child = [this] { return tree()["root"]["children"][0]; };
  EXPECT_EQ(coppice({"ctl", "stop", "/app/a"}).status, 0);
  EXPECT_EQ(child()["state"], "stopped");
  EXPECT_EQ(child()["why"], "by_operator");
  EXPECT_EQ(coppice({"ctl", "start", "/app/a"}).status, 0);
  EXPECT_EQ(child()["state"], "running");
  EXPECT_EQ(coppice({"ctl", "restart", "/app/a"}).status, 0);
  EXPECT_EQ(child()["incarnation"], 3);
  EXPECT_EQ(coppice({"ctl", "hold", "/app/a", "--reason", "a new disk"}).status,
            0);
  EXPECT_EQ(child()["hold_reason"], "a new disk");
  EXPECT_EQ(coppice({"ctl", "start", "/app/a"}).status, 0);
  EXPECT_EQ(child()["hold_reason"], "");
}

TEST_F(Steer, WhatCannotBeDoneIsSaidAndIsNoSuccess) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  const auto running_already = coppice({"ctl", "start", "/app/a"});
  EXPECT_EQ(running_already.status, 1) << running_already.out;
  EXPECT_NE(running_already.err, "");
}

TEST_F(Steer, AnUnknownPathGivesTheNearestOnes) {
  running it{*this, file("app.conf",
                         "app { children = [ { id = \"database\", kind = "
                         "\"beater\" }, { id = \"feed\", kind = \"beater\" } ] "
                         "}")};
  ASSERT_TRUE(it.is_ready()) << it.err();
  const auto typo = coppice({"ctl", "stop", "/app/databsae"});
  EXPECT_EQ(typo.status, 2);
  EXPECT_THAT(typo.err, AllOf(HasSubstr("no child '/app/databsae'"),
                              HasSubstr("did you mean '/app/database'"),
                              HasSubstr("coppice tree --paths")));
  EXPECT_THAT(coppice({"ctl", "stop", "feed"}).err,
              HasSubstr("did you mean '/app/feed'"));
  EXPECT_EQ(tree()["root"]["children"][0]["state"], "running");
}

TEST_F(Steer, AWrongTokenIsRefused) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  auto json = nlohmann::json::parse(std::ifstream{runtime_file("app")});
  json["token"] = "0123456789abcdef0123456789abcdef";
  // In place: the lock is on the file, not on its name.
  std::ofstream{runtime_file("app")} << json;
  EXPECT_EQ(coppice({"ctl", "stop", "/app/a"}).status, 77);
  EXPECT_EQ(tree()["root"]["children"][0]["state"], "running");
}

TEST_F(Steer, TheTokenIsThatOfTheEnvironmentOrOfItsFile) {
  const auto path = file("app.conf", quiet());
  const auto token = file("token", "from-the-file-0123456789\nrest\n");
  running it{*this, path, {"--token-file", token}};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(nlohmann::json::parse(std::ifstream{runtime_file("app")})["token"],
            "from-the-file-0123456789");
  const auto weak = coppice({"run", path, "--token", "short"});
  EXPECT_EQ(weak.status, 73) << weak.out;
  EXPECT_THAT(weak.err, HasSubstr("token"));
}

TEST_F(Steer, ShutdownEndsTheProgram) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(coppice({"ctl", "shutdown"}).status, 0);
  EXPECT_EQ(it.wait_for_end(), 0);
  EXPECT_THAT(it.out(), HasSubstr("app has stopped after"));
}

// STOP-4: a second one joins; only signals are impatient.
TEST_F(Steer, AskingTwiceForTheEndKillsNobody) {
  running it{*this, file("app.conf",
                         "app { children = [ { id = \"slow\", kind = "
                         "\"slow_stopper\", arguments { takes = 700ms } } ] "
                         "}\n")};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(coppice({"ctl", "shutdown"}).status, 0);
  ASSERT_TRUE(it.wait_for("stopping app"));
  static_cast<void>(coppice({"ctl", "shutdown"})); // may come too late
  EXPECT_EQ(it.wait_for_end(), 0);
  EXPECT_THAT(it.out(), Not(HasSubstr("is killed")));
}

// TOPOLOGY-3
TEST_F(Steer, ReloadAppliesTheFileOrSaysWhyNot) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  file("app.conf", quiet("app", "50ms"));
  const auto good = coppice({"reload"});
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("version 2"));
  EXPECT_EQ(tree()["version"], 2);
  file("app.conf", "app { children = [ { id = \"a\", kind = \"beeter\" } ] }");
  const auto bad = coppice({"reload"});
  EXPECT_EQ(bad.status, 65) << bad.out;
  EXPECT_THAT(bad.err, AllOf(HasSubstr("app.conf:1:"), HasSubstr("\"beater\""),
                             HasSubstr("Nothing was changed.")));
  EXPECT_EQ(tree()["version"], 2);
}

TEST_F(Steer, ThePoolOfALoadKeepsItsArguments) {
  const auto pool = [](const char* workers) {
    return std::string{"app { children = [ { id = \"p\", kind = \"pool\", "
                       "arguments { workers = "}
           + workers + " } } ] }";
  };
  running it{*this, file("app.conf", pool("2"))};
  ASSERT_TRUE(it.is_ready()) << it.err();
  file("app.conf", pool("3"));
  const auto refused = coppice({"reload"});
  EXPECT_NE(refused.status, 0);
  EXPECT_THAT(refused.err, HasSubstr("/app/p"));
  EXPECT_EQ(tree()["version"], 1);
}

// OBSERVE-1
TEST_F(Steer, EventsAsTextAndAsJson) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  const auto all = lines_of(coppice({"events", "--json"}).out);
  ASSERT_GE(all.size(), 2U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto x = nlohmann::json::parse(all[i], nullptr, false);
    ASSERT_TRUE(x.is_object()) << all[i];
    EXPECT_EQ(x["number"], i + 1);
  }
  const auto last = std::to_string(all.size() - 1);
  EXPECT_EQ(lines_of(coppice({"events", "--json", "--after", last}).out).size(),
            1U);
  EXPECT_THAT(coppice({"events"}).out, HasSubstr("/app/a#1 ready"));
}

TEST_F(Steer, FollowedEventsComeAsTheyHappenAndEndWithTheTree) {
  running it{*this, file("app.conf", quiet())};
  ASSERT_TRUE(it.is_ready()) << it.err();
  program follower{COPPICE_PROGRAM, {"events", "--follow"}, surroundings()};
  ASSERT_TRUE(follower.wait_for("/app/b#1 ready")) << follower.err();
  ASSERT_EQ(coppice({"ctl", "stop", "/app/a"}).status, 0);
  EXPECT_TRUE(follower.wait_for("/app/a#1 stopped")) << follower.out();
  EXPECT_EQ(it.stop(), 0);
  EXPECT_EQ(follower.wait_for_end(), 0) << follower.err();
}

} // namespace

} // namespace cli_test

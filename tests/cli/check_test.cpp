// This file is part of coppice. License: see LICENSE in the source root.

// What needs no running tree: `coppice check`, `kinds`, `reference`,
// `completion`, help, and wrong arguments. And how long size takes.

#include "cli/cli_fixture.hpp"

#include <cstdio>

namespace cli_test {

namespace {

using Check = CommandLine;
using Arguments = CommandLine;
using Completion = CommandLine;
using Size = CommandLine;

// TOPOLOGY-2
TEST_F(Check, OfASoundFileItSaysTheWorst) {
  const auto path = file("app.conf",
                         "app { limits { restarts_max = 3, window = "
                         "60s }, children = [ { id = \"a\", kind = "
                         "\"beater\" } ] }\n");
  const auto it = coppice({"check", path});
  EXPECT_EQ(it.status, 0) << it.out << it.err;
  EXPECT_THAT(it.out, HasSubstr("/app/a"));
  EXPECT_THAT(it.out, HasSubstr("note: app"));
  EXPECT_EQ(coppice({"check", path, "--strict"}).status, 1);
}

// TOPOLOGY-2
TEST_F(Check, WarningsAreStatusOneAndValidJson) {
  // A second between two failures, and 10 of them in 5 s: never.
  const auto path
    = file("app.conf", "app { limits { restarts_max = 10, window = 5s }, "
                       "children = [ { id = \"a\", kind = \"beater\", backoff "
                       "{ first = 1s } } ] }\n");
  const auto it = coppice({"check", path, "--json"});
  EXPECT_EQ(it.status, 1) << it.out << it.err;
  const auto json = nlohmann::json::parse(it.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << it.out;
  ASSERT_FALSE(json["findings"].empty());
  EXPECT_THAT(coppice({"check", path}).out, HasSubstr("warning: app"));
}

// TOPOLOGY-1
TEST_F(Check, ABadFileIsStatusSixtyFiveAlsoInJson) {
  const auto path = file("app.conf", "app { strategy = \"one_for_al\" }");
  const auto it = coppice({"check", path});
  EXPECT_EQ(it.status, 65);
  EXPECT_THAT(it.err, AllOf(HasSubstr(path + ":1:"), HasSubstr("one_for_al"),
                            HasSubstr("did you mean \"one_for_all\"?")));
  const auto json = coppice({"check", path, "--json"});
  EXPECT_EQ(json.status, 65);
  const auto defects = nlohmann::json::parse(json.out, nullptr, false);
  ASSERT_TRUE(defects.is_object()) << json.out;
  ASSERT_EQ(defects["defects"].size(), 1U);
  EXPECT_EQ(defects["defects"][0]["nearest"], "\"one_for_all\"");
  EXPECT_EQ(defects["defects"][0]["line"], 1);
}

TEST_F(Check, AllShippedTopologiesAreSound) {
  auto count = 0;
  for (const auto& x :
       std::filesystem::directory_iterator{COPPICE_TOPOLOGIES}) {
    if (x.path().extension() != ".conf")
      continue;
    const auto it = coppice({"check", x.path().string()});
    EXPECT_EQ(it.status, 0) << x.path() << '\n' << it.out << it.err;
    ++count;
  }
  EXPECT_GE(count, 8);
}

TEST_F(Arguments, WrongOnesAreStatusTwoAndSayWhatIsMeant) {
  EXPECT_EQ(coppice({}).status, 2);
  EXPECT_EQ(coppice({"run"}).status, 2);
  EXPECT_EQ(coppice({"run", "x", "--for", "soon"}).status, 2);
  EXPECT_EQ(coppice({"run", "x", "--observe=here"}).status, 2);
  EXPECT_EQ(
    coppice({"run", "x", "--observe=127.0.0.1:1", "--no-observe"}).status, 2);
  EXPECT_EQ(coppice({"ctl", "hold", "/app/a"}).status, 2) << "needs --reason";
  EXPECT_EQ(coppice({"events", "--after", "-1"}).status, 2);
  EXPECT_EQ(coppice({"completion", "tcsh"}).status, 2);
  const auto command = coppice({"chekc", "x"});
  EXPECT_EQ(command.status, 2);
  EXPECT_THAT(command.err, HasSubstr("did you mean 'check'?"));
  const auto option = coppice({"run", "x", "--plane"});
  EXPECT_EQ(option.status, 2);
  EXPECT_THAT(option.err, AllOf(HasSubstr("'--plane'"), HasSubstr("--plain"),
                                HasSubstr("coppice run --help")));
}

TEST_F(Arguments, HelpTeaches) {
  const auto it = coppice({"--help"});
  EXPECT_EQ(it.status, 0);
  for (const auto* command : {"run", "check", "tree", "ctl", "reload", "events",
                              "list", "kinds", "reference", "completion"}) {
    EXPECT_THAT(it.out, HasSubstr(command));
    EXPECT_EQ(coppice({command, "--help"}).status, 0) << command;
  }
  EXPECT_THAT(coppice({"run", "--help"}).out, HasSubstr("Examples:"));
  EXPECT_THAT(coppice({"--version"}).out, HasSubstr("coppice 0."));
}

TEST_F(Arguments, KindsAndTheReferenceNameAllKinds) {
  const auto list = coppice({"kinds"}).out;
  const auto reference = coppice({"reference"}).out;
  for (const auto* kind :
       {"beater", "command", "crasher", "flaky_start", "hanger", "load",
        "muted", "pool", "responder", "slow_stopper"}) {
    EXPECT_THAT(list, HasSubstr(kind));
    EXPECT_THAT(reference, HasSubstr(kind));
    EXPECT_EQ(coppice({"kinds", kind}).status, 0) << kind;
  }
  EXPECT_THAT(coppice({"kinds", "crasher"}).out, HasSubstr("after_beats"));
  const auto unknown = coppice({"kinds", "crashr"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'crasher'?"));
}

// -- completion --------------------------------------------------------------

constexpr auto complete = R"sh(
source <("$1" completion bash) || exit 3
shift
PATH=$(dirname "$COPPICE"):$PATH
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_coppice
printf '%s\n' "${COMPREPLY[@]}"
)sh";

TEST_F(Completion, OfBashKnowsCommandsOptionsAndValues) {
  const auto completed = [this](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"-c", complete, "bash", COPPICE_PROGRAM, "coppice"});
    auto added = surroundings();
    added["COPPICE"] = COPPICE_PROGRAM;
    const auto it = run("bash", words, added);
    EXPECT_EQ(it.status, 0) << it.err;
    EXPECT_EQ(it.err, "");
    return it.out;
  };
  EXPECT_EQ(completed({"rel"}), "reload\n");
  EXPECT_THAT(completed({"run", "--"}),
              AllOf(HasSubstr("--observe\n"), HasSubstr("--for\n")));
  EXPECT_EQ(completed({"ctl", "sh"}), "shutdown\n");
  EXPECT_EQ(completed({"completion", "z"}), "zsh\n");
  EXPECT_EQ(completed({"kinds", "flak"}), "flaky_start\n");
  const auto path = file("thing.conf", quiet());
  EXPECT_EQ(completed({"run", path.substr(0, path.size() - 3)}), path + '\n');
  running it{*this, path};
  ASSERT_TRUE(it.is_ready()) << it.err();
  EXPECT_EQ(completed({"ctl", "stop", "/app/"}), "/app/a\n/app/b\n");
  EXPECT_EQ(completed({"tree", "--name", "a"}), "app\n");
}

TEST_F(Completion, OfOtherShellsIsPrinted) {
  EXPECT_THAT(coppice({"completion", "zsh"}).out,
              HasSubstr("#compdef coppice"));
  EXPECT_THAT(coppice({"completion", "fish"}).out,
              HasSubstr("complete -c coppice"));
}

// -- size --------------------------------------------------------------------

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
    .count();
}

/// What `ready after` says, in seconds.
double ready_after(const std::string& out) {
  const auto at = out.find(" is ready after ");
  const auto text = out.substr(at + 16);
  const auto value = std::stod(text);
  return text.find("ms") < text.find('\n') ? value / 1'000 : value;
}

// The bounds are those of machines under load; the figures are printed.
TEST_F(Size, TenThousandChildrenAreCheckedAndRunInASecondOrTwo) {
  const auto big = run("python3", {COPPICE_TOPOLOGIES "/generate_big.py"});
  ASSERT_EQ(big.status, 0) << big.err;
  const auto path = file("big.conf", big.out);
  const auto begin = std::chrono::steady_clock::now();
  const auto checked = coppice({"check", path});
  const auto check_took = seconds_since(begin);
  EXPECT_NE(checked.status, 65) << checked.err;
  running it{*this, path};
  ASSERT_TRUE(it.is_ready()) << it.err();
  ASSERT_TRUE(it.wait_for("\n"));
  const auto ready = ready_after(it.out());
  EXPECT_EQ(it.stop(), 0) << it.out();
  std::printf("10'000 children: checked in %.2f s, ready after %.2f s\n",
              check_took, ready);
  EXPECT_LT(check_took, 20);
  EXPECT_LT(ready, 20);
}

} // namespace

} // namespace cli_test

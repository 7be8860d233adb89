// This file is part of coppice. License: see LICENSE in the source root.

// Files that are refused: what is said about each. TOPOLOGY-1.

#include "coppice/topology.hpp"

#include "support/topology_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace coppice {

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

topology_defects defects_of(std::string_view text) {
  const auto result = parse_topology(text, "f", test::kinds());
  return result ? topology_defects{} : result.defects();
}

/// Without the name of the file: "line:column: path: found ...".
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto& x : defects_of(text))
    lines.push_back(to_string(x).substr(2));
  return lines;
}

/// What is said of a child that has `fields`, beside its id and kind.
std::vector<std::string> of_child(const std::string& fields) {
  return lines_of("app { children = [\n{ id = \"a\", kind = \"idler\"\n"
                  + fields + "\n} ] }");
}

std::vector<std::string> of_arguments(const std::string& arguments) {
  return lines_of(
    "app { children = [ { id = \"a\", kind = \"picky\"\narguments {\n"
    + arguments + "\n}\n} ] }");
}

// -- values ------------------------------------------------------------------

TEST(TopologyDefects, NameTheNearestKey) {
  EXPECT_THAT(
    of_child("restrat = \"permanent\""),
    ElementsAre(
      AllOf(StartsWith("3:1: app.children[0](a).restrat: found the unknown key "
                       "`restrat`, expected a field of `child`: id, kind, "),
            HasSubstr("; did you mean 'restart'?"))));
  EXPECT_THAT(of_child("backoff { frist = 1s }"),
              ElementsAre(HasSubstr("did you mean 'first'?")));
  EXPECT_THAT(of_child("zzz = 1"), ElementsAre(Not(HasSubstr("did you mean"))));
}

TEST(TopologyDefects, NameTheNearestName) {
  EXPECT_THAT(of_child("restart = \"permanant\""),
              ElementsAre("3:11: app.children[0](a).restart: found "
                          "\"permanant\", expected \"permanent\", "
                          "\"transient\" or \"temporary\"; did you mean "
                          "\"permanent\"?"));
  EXPECT_THAT(of_child("restart = permanent"),
              ElementsAre(
                HasSubstr("found permanent, expected \"permanent\"")));
  EXPECT_THAT(of_child("restart = 'Transient'"),
              ElementsAre(HasSubstr("did you mean \"transient\"?")));
  EXPECT_THAT(of_child("shutdown = \"brutal\""),
              ElementsAre(HasSubstr("did you mean \"brutal_kill\"?")));
}

TEST(TopologyDefects, SayHowToWriteDurations) {
  const auto found = [](const std::string& value, const std::string& nearest) {
    auto line = "3:14: app.children[0](a).kill_grace: found " + value
                + ", expected a duration with unit, such as 500ms; 0s or more";
    if (!nearest.empty())
      line += "; did you mean '" + nearest + "'?";
    return ElementsAre(line);
  };
  for (const auto& [value, nearest] :
       std::vector<std::pair<std::string, std::string>>{
         {"5", ""},
         {"5.0", ""},
         {"\"5s\"", "5s"},
         {"\"5 s\"", "5s"},
         {"5sec", "5s"},
         {"5m", "5min"},
         {"1.5s", "1500ms"},
         {"2d", "48h"},
         {"true", ""},
         {"0x5s", ""},
         {"05s", ""},
         {"99999999999999999999s", ""},
         {"9223372037s", ""},
         {"+5s", ""}})
    EXPECT_THAT(of_child("kill_grace = " + value), found(value, nearest));
  EXPECT_THAT(of_child("kill_grace = [5s]"), found("a list", ""));
  EXPECT_THAT(of_child("kill_grace { }"), SizeIs(1));
}

TEST(TopologyDefects, LoseNoNumber) {
  const auto count = [](const std::string& value) {
    return of_child("parking { messages_max = " + value + " }");
  };
  for (const auto* value :
       {"-1", "1.5", "1e3", "0x10", "007", "4294967296", "18446744073709551616",
        "1s", "\"1\"", "+1", "1'000", "1..3", "nan", "inf"})
    EXPECT_THAT(count(value),
                ElementsAre("3:26: app.children[0](a).parking.messages_max: "
                            "found "
                            + std::string{value}
                            + ", expected a whole number; 0 to 1000000"))
      << value;
  for (const auto* value : {"nan", "inf", "1e999", "-", ".5", "1.", "1,5",
                            "\"2\"", "0x1p3", "1e", "--1"})
    EXPECT_THAT(of_child("backoff { factor = " + std::string{value} + " }"),
                Not(IsEmpty()))
      << value;
}

TEST(TopologyDefects, SayWhatEachTypeLooksLike) {
  EXPECT_THAT(of_child("significant = yes"),
              ElementsAre(AllOf(HasSubstr("found yes, expected true or false"),
                                HasSubstr("did you mean 'true'?"))));
  EXPECT_THAT(of_child("backoff = 3s"),
              ElementsAre(
                "3:11: app.children[0](a).backoff: found 3s, expected "
                "a section in { }"));
  EXPECT_THAT(of_child("on_failure { }"),
              ElementsAre(
                HasSubstr("found a section, expected a list in [ ]")));
  EXPECT_THAT(of_child("on_failure = [ 3, { action = \"stop\" } ]"),
              ElementsAre("3:16: app.children[0](a).on_failure[0]: found 3, "
                          "expected a section in { }",
                          "3:19: app.children[0](a).on_failure[1]"
                          ".failure_class: found nothing, expected the class "
                          "of a failure, in double quotes"));
}

// -- what policy::validate finds ---------------------------------------------

TEST(TopologyDefects, PlaceWhatIsOutOfRange) {
  EXPECT_THAT(of_child("backoff {\n first = 1s, cap = 500ms\n}"),
              ElementsAre("4:20: app.children[0](a).backoff.cap: found 500ms, "
                          "expected at least `first`, which is 1s"));
  // What is not in the file is placed where it would be.
  EXPECT_THAT(of_child("backoff { first = 1h }"),
              ElementsAre("3:1: app.children[0](a).backoff.cap: found 30s, "
                          "expected at least `first`, which is 1h"));
  EXPECT_THAT(lines_of("app { pause_length = \"infinity\" }"),
              ElementsAre(
                StartsWith("1:22: app.pause_length: found infinity")));
}

TEST(TopologyDefects, PlaceWhatIsInStrangeIds) {
  const std::string text
    = "app { children = [\n"
      "{ id = \"a).b[0](\", supervisor { children = [\n"
      "{ id = \"x\", kind = \"idler\", backoff { factor = 0 "
      "} } ] } } ] }";
  EXPECT_THAT(lines_of(text),
              ElementsAre(StartsWith(
                "3:48: app.children[0](a).b[0]().supervisor.children[0](x)"
                ".backoff.factor: found 0, expected a number from 1 to")));
}

TEST(TopologyDefects, SayNothingOfDefaultsInPlaceOfWhatIsBroken) {
  // The default of `cap` is below `first`.
  EXPECT_THAT(of_child("backoff { first = 1h, cap = 5m }"), SizeIs(1));
  EXPECT_THAT(lines_of("app { children = [ 5, { id = \"a\", "
                       "kind = \"idler\" } ] }"),
              SizeIs(1));
}

TEST(TopologyDefects, AreWhatSuperviseWouldRefuse) {
  EXPECT_THAT(
    lines_of("options { scan_interval = 2s }\n"
             "app { children = [ { id = \"in\", supervisor { children = [\n"
             "{ id = \"a\", kind = \"idler\", heartbeat { stall_timeout = 1s "
             "} } ] } } ] }"),
    ElementsAre("3:57: app.children[0](in).supervisor.children[0](a).heartbeat"
                ".stall_timeout: found 1s, expected at least "
                "`options.scan_interval`, which is 2s"));
  EXPECT_THAT(lines_of("app {}\noptions { scan_interval = 2h, exit_code = 256, "
                       "start_within = 0s, stop_within = -1s }"),
              ElementsAre(StartsWith("2:27: options.scan_interval: found 2h"),
                          StartsWith("2:43: options.exit_code: found 256"),
                          StartsWith("2:63: options.start_within: found 0s"),
                          StartsWith("2:81: options.stop_within: found -1s")));
}

// -- children and kinds ------------------------------------------------------

TEST(TopologyDefects, SayWhatAChildLacks) {
  EXPECT_THAT(
    lines_of("app { children = [ {} ] }"),
    ElementsAre("1:20: app.children[0].id: found nothing, expected a text in "
                "double quotes; unlike those of its siblings",
                "1:20: app.children[0].kind: found nothing, expected a kind of "
                "worker, or else a section `supervisor`"));
  EXPECT_THAT(of_child("supervisor { }"),
              ElementsAre("3:12: app.children[0](a).supervisor: found a "
                          "supervisor beside a kind, expected one of `kind` "
                          "and `supervisor`"));
  EXPECT_THAT(lines_of("app { children = [ { id = \"a\", supervisor { }, "
                       "arguments { } } ] }"),
              ElementsAre(HasSubstr(
                "found arguments without a kind, expected `arguments`")));
  EXPECT_THAT(lines_of("app { children = [ { id = \"a\", supervisor = 5 } ] }"),
              SizeIs(1));
}

TEST(TopologyDefects, SayWhichIdIsTwice) {
  EXPECT_THAT(lines_of("app { children = [ { id = \"a\", kind = \"idler\" },\n"
                       "{ id = \"a\", kind = \"idler\" } ] }"),
              ElementsAre(
                "2:8: app.children[1](a).id: found \"a\", expected an "
                "id of its own; children[0] has this one already"));
}

TEST(TopologyDefects, NameTheNearestKind) {
  const auto kind = [](const std::string& name) {
    return lines_of("app { children = [ { id = \"a\", kind = " + name
                    + " } ] }");
  };
  EXPECT_THAT(kind("\"pcky\""),
              ElementsAre(AllOf(
                StartsWith("1:39: app.children[0](a).kind: found \"pcky\", "
                           "expected one of the kinds that this program has: "
                           "\"idler\", "),
                HasSubstr("; did you mean \"picky\"?"))));
  EXPECT_THAT(kind("idler"),
              ElementsAre(AllOf(HasSubstr("expected a text in double quotes"),
                                HasSubstr("did you mean \"idler\"?"))));
  EXPECT_THAT(kind("\"lazy\""),
              ElementsAre(HasSubstr("which makes nothing that could start")));
  EXPECT_THAT(kind("\"moody\""),
              ElementsAre(HasSubstr("which fails: not\\x0atoday")));
  EXPECT_THAT(to_string(
                parse_topology("app { children = [ { id = \"a\", kind = "
                               "\"x\" } ] }",
                               "f", worker_kinds{})
                  .defects()),
              HasSubstr("this program has no kinds"));
}

TEST(TopologyDefects, OfArgumentsAreFoundTogether) {
  EXPECT_THAT(
    of_arguments("sise = 4\nsize = 11\nevery = 0s\nshare = 1.5\nloud = 1\n"
                 "mode = \"fats\"\nwords = [ \"a\", 1 ]\n"
                 "environment { A = 1, B = \"2\" }"),
    ElementsAre(
      AllOf(HasSubstr("arguments.word: found nothing, expected a text")),
      AllOf(StartsWith("3:1: app.children[0](a).arguments.sise: "),
            HasSubstr("did you mean 'size'?")),
      HasSubstr(".size: found 11, expected a whole number; 1 to 10"),
      HasSubstr(".every: found 0s, expected a duration with unit"),
      HasSubstr(".share: found 1.5, expected a number; 0 to 1"),
      HasSubstr(".loud: found 1, expected true or false"),
      HasSubstr(
        ".mode: found \"fats\", expected \"fast\" or \"slow\"; did you"),
      HasSubstr(".words[1]: found 1, expected a text in double quotes"),
      HasSubstr(".environment.A: found 1, expected a text in double quotes")));
}

TEST(TopologyDefects, ShowWhatAKindRefuses) {
  EXPECT_THAT(of_arguments("word = \"big\""),
              ElementsAre(HasSubstr(
                "arguments.size: found 3, expected 5 or more for big words")));
}

TEST(TopologyDefects, DoNotShowSecrets) {
  EXPECT_THAT(lines_of("app { children = [ { id = \"a\", kind = \"secretive\", "
                       "arguments { password = 1234567 } } ] }"),
              ElementsAre(AllOf(Not(HasSubstr("1234567")),
                                HasSubstr("found something that is secret"))));
}

// -- the whole ---------------------------------------------------------------

TEST(TopologyDefects, SayThatThereIsNoRoot) {
  for (const auto* text : {"", "# nothing", "options { }", "\n\n"})
    EXPECT_THAT(lines_of(text), ElementsAre(HasSubstr(
                                  "1:1: found nothing, expected one section "
                                  "whose key is the name of the root")))
      << text;
  EXPECT_THAT(lines_of("app = 5"),
              ElementsAre(StartsWith("1:1: app: found 5")));
}

TEST(TopologyDefects, SayThatThereAreTwoRoots) {
  EXPECT_THAT(lines_of("app {}\nother {}"),
              ElementsAre("2:1: other: found a section beside `app`, expected "
                          "`options`, or nothing but one root supervisor"));
  EXPECT_THAT(lines_of("option {}\napp {}"),
              ElementsAre(AllOf(StartsWith("1:1: option: "),
                                HasSubstr("did you mean 'options'?"))));
}

TEST(TopologyDefects, SayWhichKeyIsTwice) {
  EXPECT_THAT(lines_of("app {\npause_length = 1s\npause_length = 2s }\n"
                       "options { seed = 1, seed = 2 }"),
              ElementsAre("3:1: app.pause_length: found a second "
                          "`pause_length`, expected one; the first is in line "
                          "2",
                          StartsWith("4:21: options.seed: found a second")));
  EXPECT_THAT(lines_of("app {}\napp {}"),
              ElementsAre(StartsWith("2:1: app: found a second `app`")));
}

TEST(TopologyDefects, AreInTheOrderOfTheFile) {
  std::vector<int> order;
  for (const auto& x :
       defects_of("app {\nx = 1\nchildren = [\n{ id = \"a\", kind = \"no\" },\n"
                  "{ id = \"a\", kind = \"idler\", y = 1 },\n]\nlimits = 1\n}\n"
                  "options { z = 1 }"))
    order.push_back(x.line);
  EXPECT_THAT(order, ElementsAre(2, 4, 5, 5, 7, 9));
}

TEST(TopologyDefects, AreBounded) {
  std::string text = "app { children = [\n";
  for (auto i = 0; i < 2'000; ++i)
    text += "{ y = 1 },\n";
  const auto found = defects_of(text + "] }");
  ASSERT_THAT(found, SizeIs(topology_limits::defects_max + 1));
  EXPECT_EQ(to_string(found.back()),
            "f: found 5000 more defects, expected none; they are not listed");
}

TEST(TopologyDefects, OfFilesThatCannotBeRead) {
  const auto of = [](const std::string& file) {
    return to_string(load_topology(file, test::kinds()).defects());
  };
  EXPECT_EQ(of("/no/such.top"),
            "/no/such.top: found No such file or directory, expected a file "
            "that can be read\n");
  EXPECT_THAT(of("/"), HasSubstr("/: found Is a directory, expected"));
  EXPECT_THAT(of("/dev/zero"), HasSubstr("found more than 16777216 bytes"));
}

} // namespace

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

// Files that are no files of the kind, down to random bytes. TOPOLOGY-1.

#include "coppice/nearest_name.hpp"
#include "coppice/policy/random.hpp"
#include "coppice/topology.hpp"
#include "coppice/topology_literal.hpp"

#include "support/seed.hpp"
#include "support/topology_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace coppice {

namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> lines_of(std::string_view text) {
  const auto result = parse_topology(text, "f", test::kinds());
  std::vector<std::string> lines;
  if (!result)
    for (const auto& x : result.defects())
      lines.push_back(to_string(x).substr(2));
  return lines;
}

TEST(TopologySyntax, SaysWhatCouldStandThere) {
  EXPECT_THAT(lines_of("app {\n strategy \"x\"\n}"),
              ElementsAre(
                "2:11: app: found a text, expected = and a value after "
                "the key, or { and a section, on the same line"));
  EXPECT_THAT(lines_of("app {\n strategy =\n}"),
              ElementsAre("2:12: app.strategy: found the end of the line, "
                          "expected a value on the same line"));
  EXPECT_THAT(lines_of("app { children = [ { id = \"a\" kind = \"b\" } ] }"),
              ElementsAre(
                "1:31: app.children[0]: found kind, expected a comma, "
                "a new line, or }, which closes the { of line 1"));
  EXPECT_THAT(lines_of("app { children = [ { } { } ] }"),
              ElementsAre(
                "1:24: app.children[1]: found {, expected a comma, or "
                "], which closes the [ of line 1"));
  EXPECT_THAT(lines_of("app { children = [ , ] }"),
              ElementsAre(HasSubstr("found ,, expected a value, or ]")));
  EXPECT_THAT(lines_of("app { , }"),
              ElementsAre(HasSubstr("found ,, expected a key, or }")));
  EXPECT_THAT(lines_of("app { children = [ } ] }"),
              ElementsAre(HasSubstr("found }, expected a value, or ]")));
  EXPECT_THAT(lines_of("app { } }"),
              ElementsAre(HasSubstr("1:9: found }, expected a new section")));
  EXPECT_THAT(lines_of("{ }"), ElementsAre(StartsWith("1:1: found {")));
  EXPECT_THAT(lines_of("app"), ElementsAre(HasSubstr("the end of the file")));
}

TEST(TopologySyntax, SaysWhatWasLeftOpen) {
  EXPECT_THAT(lines_of("app {\n children = [\n { id = \"x\" }\n"),
              ElementsAre("4:1: app.children[1]: found the end of the file, "
                          "expected a comma, or ], which closes the [ of line "
                          "2"));
  EXPECT_THAT(lines_of("app {\n strategy = \"one_for_one\n}\n"),
              ElementsAre(StartsWith("2:13: found a text that does not end")));
}

TEST(TopologySyntax, RefusesWhatOnlySomeVersionsTake) {
  EXPECT_THAT(lines_of("[app]\nx = 3"),
              ElementsAre(
                "1:1: found [, expected a section, written as: name { "
                "... }"));
  EXPECT_THAT(lines_of("app { } ; old"),
              ElementsAre("1:9: found ;, expected a comment that begins with "
                          "#"));
  EXPECT_THAT(lines_of("app { limits.window = 5s }"),
              ElementsAre(StartsWith("1:7: found limits.window, expected a key "
                                     "of letters")));
  EXPECT_THAT(lines_of("app { _x = 5s }"),
              ElementsAre(StartsWith("1:7: found _x, expected a key")));
  EXPECT_THAT(lines_of("app { x = \"\\v\" }"),
              testing::Contains(
                HasSubstr("found \\v, expected one of the escapes")));
}

TEST(TopologySyntax, RefusesBytesThatAreNoText) {
  EXPECT_THAT(lines_of("app { \0 }"sv),
              ElementsAre("1:7: found \\x00, expected a text file: it has no "
                          "NUL bytes"));
  EXPECT_THAT(lines_of("app { } # \xff"),
              ElementsAre("1:11: found \\xff, expected UTF-8"));
  EXPECT_THAT(lines_of("app { } # \x1b[31m"),
              ElementsAre(
                "1:11: found \"\\x1b\", expected no control characters "
                "but line ends and tabs"));
  EXPECT_THAT(lines_of("app { }\r# x"), ElementsAre(StartsWith("1:8: ")));
  // Overlong, a surrogate, beyond the last, cut off.
  for (const auto* bytes :
       {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_THAT(lines_of("app { } # "s + bytes),
                testing::Contains(HasSubstr("expected UTF-8")))
      << bytes;
}

TEST(TopologySyntax, CountsColumnsInCharacters) {
  EXPECT_THAT(lines_of("app { children = [ { id = \"\xc3\xa4\xe2\x82\xac\", "
                       "kind = \"no\" } ] }"),
              ElementsAre(StartsWith("1:40: ")));
}

TEST(TopologySyntax, BoundsTheDepth) {
  const auto deep = std::string(100'000, '[');
  EXPECT_THAT(lines_of("app { x = " + deep),
              ElementsAre("1:266: found [ inside of 256, expected at most 256 "
                          "brackets inside one another"));
  std::string text;
  for (auto i = 0; i < 100'000; ++i)
    text += "a {";
  EXPECT_THAT(lines_of(text), ElementsAre(HasSubstr("at most 256 brackets")));
  EXPECT_THAT(lines_of(deep), testing::SizeIs(1));
}

TEST(TopologySyntax, BoundsTheSize) {
  const std::string text(topology_limits::file_bytes_max + 1, ' ');
  EXPECT_THAT(lines_of(text), ElementsAre(" found 16777217 bytes, expected at "
                                          "most 16777216"));
}

TEST(TopologyLiteral, IsReadExactly) {
  EXPECT_EQ(read_count("18446744073709551615"), 18446744073709551615u);
  EXPECT_EQ(read_count("18446744073709551616"), std::nullopt);
  EXPECT_EQ(read_duration("9223372036854775807ns"), 9223372036854775807ns);
  EXPECT_EQ(read_duration("9223372036854775808ns"), std::nullopt);
  EXPECT_EQ(read_duration("2562047h"), 2562047h);
  EXPECT_EQ(read_duration("2562048h"), std::nullopt);
  EXPECT_EQ(read_duration("-3min"), -3min);
  EXPECT_EQ(read_number("-0.25e2"), -25.0);
  for (const auto* x : {"", "-", "s", "1 s", "1S", "1s1", "1.0s"})
    EXPECT_EQ(read_duration(x), std::nullopt) << x;
  for (const auto* x :
       {"", "-", ".5", "5.", "1e999", "inf", "nan", "0x1", "01"})
    EXPECT_EQ(read_number(x), std::nullopt) << x;
}

TEST(NearestName, IsTheOneWithFewestEdits) {
  const std::vector<std::string> names{"transient", "temporary", "permanent"};
  EXPECT_EQ(nearest_name("transeint", names), "transient"); // swapped
  EXPECT_EQ(nearest_name("Temporary", names), "temporary");
  EXPECT_EQ(nearest_name("perm", names), "permanent");
  EXPECT_EQ(nearest_name("always", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name(std::string(100, 'x'), names), "");
  EXPECT_EQ(nearest_name("one-for-one", {"one_for_one"}), "one_for_one");
}

// -- the reference page ------------------------------------------------------

// TOPOLOGY-1: the page in docs/ is what the tables say.
// COPPICE_WRITE_REFERENCE=1 writes it anew.
TEST(TopologyReference, IsThePageInTheDocuments) {
  const auto path = COPPICE_TEST_DATA "/../../docs/topology_reference.md"s;
  const auto page = topology_reference(worker_kinds{});
  if (std::getenv("COPPICE_WRITE_REFERENCE") != nullptr)
    std::ofstream{path} << page;
  std::ifstream in{path};
  const std::string written{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(written, page) << "COPPICE_WRITE_REFERENCE=1 writes it anew";
}

TEST(TopologyReference, HasTheKindsOfTheProgram) {
  const auto page = topology_reference(test::kinds());
  EXPECT_THAT(page, HasSubstr("### `\"picky\"`\n\nWants to know it all.\n"));
  EXPECT_THAT(page,
              HasSubstr("| `word` | a text in double quotes | none: has to "
                        "be given | What it says. |\n"));
  EXPECT_THAT(page, HasSubstr("| `size` | a whole number; 1 to 10 | 3 |"));
  EXPECT_THAT(page, HasSubstr("### `\"moody\"`"));
}

// Its example is one that can be read, but for the kinds.
TEST(TopologyReference, HasAnExampleThatIsSound) {
  const auto page = topology_reference(worker_kinds{});
  const auto begin = page.find("```\n") + 4;
  worker_kinds kinds;
  kinds.register_worker("ticker", "", [](auto& given, auto& child) {
    given.time("every", {}, 1s);
    child.start = test::starts_nothing;
  });
  kinds.register_worker("idler", "", [](auto&, auto& child) {
    child.start = test::starts_nothing;
  });
  const auto result = parse_topology(
    page.substr(begin, page.find("```", begin) - begin), "page", kinds);
  EXPECT_TRUE(result) << to_string(result.defects());
}

// -- anything at all ---------------------------------------------------------

// TOPOLOGY-1: whatever is in the file, it is read, or there are defects, each
// on a line and in the file.
TEST(TopologySyntax, SurvivesRandomChanges) {
  test::seeded seeded_test;
  auto& random = seeded_test.random;
  const std::string sound
    = "options { seed = 5 }\napp { # x\n"
      " limits { window = 5s, restarts_max = 3 }\n"
      " children = [ { id = \"a\\n\", kind = \"picky\", "
      "arguments { word = \"w\", share = 0.5 } },\n"
      "  { id = \"b\", supervisor { children = [] } }, ]\n"
      "}\n";
  const std::string bytes = "{}[]=,\"#;\\ \n\t\r'.-+019sme_<\xff\xc3\x01";
  for (auto round = 0; round < 3'000; ++round) {
    auto text = sound;
    for (auto n = 1 + random.up_to(4); n > 0 && !text.empty(); --n) {
      const auto at = random.up_to(text.size() - 1);
      const auto byte = bytes[random.up_to(bytes.size() - 1)];
      switch (random.up_to(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + random.up_to(8));
          break;
        default:
          text.resize(at + 1);
      }
    }
    const auto result = parse_topology(text, "f", test::kinds());
    if (result)
      continue;
    ASSERT_FALSE(result.defects().empty()) << text;
    for (const auto& x : result.defects()) {
      ASSERT_GE(x.line, 1) << to_string(x) << '\n' << text;
      ASSERT_LE(x.line, 1 + std::count(text.begin(), text.end(), '\n')) << text;
      ASSERT_FALSE(x.value.empty()) << to_string(x) << '\n' << text;
      ASSERT_FALSE(x.expected.empty()) << to_string(x) << '\n' << text;
      ASSERT_EQ(to_string(x).find('\n'), std::string::npos) << text;
    }
  }
}

} // namespace

} // namespace coppice

// This file is part of coppice. License: see LICENSE in the source root.

// What is said about bad files, to the letter, and nothing about good ones.
//
// Beside each tests/data/topologies/bad/NAME.conf, NAME.txt has all defects.
// COPPICE_GOLDEN_WRITE=1 writes them anew; read the difference, before it is
// committed, as a user who made that mistake.

#include "coppice/topology.hpp"

#include "support/topology_kinds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace coppice {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files(const char* folder) {
  std::vector<fs::path> found;
  for (const auto& x : fs::directory_iterator(fs::path{COPPICE_TEST_DATA}
                                              / "topologies" / folder))
    if (x.path().extension() == ".conf")
      found.push_back(x.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string content(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// One defect per line; nothing of a sound file.
std::string defects_of(const fs::path& file) {
  const auto result = parse_topology(content(file), file.filename().string(),
                                     test::kinds());
  if (result)
    return {};
  std::string lines;
  for (const auto& x : result.defects())
    lines += to_string(x) + '\n';
  return lines;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// Lines of one that the other has not, as `diff` marks them.
std::string difference(const std::string& expected, const std::string& found) {
  const auto only = [](const auto& these, const auto& those, char mark) {
    std::string out;
    for (const auto& line : these)
      if (std::find(those.begin(), those.end(), line) == those.end())
        out += std::string{mark} + ' ' + line + '\n';
    return out;
  };
  const auto before = lines_of(expected);
  const auto after = lines_of(found);
  return only(before, after, '-') + only(after, before, '+');
}

bool writes() {
  const auto* given = std::getenv("COPPICE_GOLDEN_WRITE");
  return given != nullptr && std::string_view{given} == "1";
}

// TOPOLOGY-1: all that is wrong, at once, with position, value and expectation.
TEST(TopologyGolden, BadFilesAreRefusedInTheseWords) {
  const auto all = files("bad");
  EXPECT_GE(all.size(), 60u);
  for (const auto& file : all) {
    auto golden = file;
    golden.replace_extension(".txt");
    const auto found = defects_of(file);
    EXPECT_NE(found, "") << file.filename() << " was let pass";
    if (writes())
      std::ofstream{golden, std::ios::binary} << found;
    else if (const auto expected = content(golden); expected != found)
      ADD_FAILURE() << golden.filename() << ":\n"
                    << difference(expected, found);
  }
}

// TOPOLOGY-1: where one is refused, another is not.
TEST(TopologyGolden, GoodFilesAreSound) {
  const auto all = files("good");
  EXPECT_GE(all.size(), 5u);
  for (const auto& file : all)
    EXPECT_EQ(defects_of(file), "");
}

// TOPOLOGY-1: defects stand on one line each, whatever is in the file, and in
// the order of their positions.
TEST(TopologyGolden, DefectsAreInOrderAndPrintable) {
  for (const auto& file : files("bad")) {
    SCOPED_TRACE(file.filename());
    const auto result = parse_topology(content(file), file.filename().string(),
                                       test::kinds());
    ASSERT_FALSE(result);
    auto before = std::pair{0, 0};
    for (const auto& x : result.defects()) {
      EXPECT_LE(before, (std::pair{x.line, x.column}));
      before = {x.line, x.column};
      EXPECT_NE(x.expected, "");
      const auto line = to_string(x);
      EXPECT_TRUE(std::none_of(line.begin(), line.end(),
                               [](char c) {
                                 return static_cast<unsigned char>(c) < 0x20
                                        || c == 0x7f;
                               }))
        << line;
    }
  }
}

// TOPOLOGY-1: a golden file whose topology is gone tests nothing.
TEST(TopologyGolden, EveryGoldenFileHasItsTopology) {
  const auto folder = fs::path{COPPICE_TEST_DATA} / "topologies" / "bad";
  for (const auto& x : fs::directory_iterator(folder)) {
    auto other = x.path();
    other.replace_extension(x.path().extension() == ".txt" ? ".conf" : ".txt");
    EXPECT_TRUE(fs::exists(other)) << x.path().filename() << " stands alone";
  }
}

} // namespace
} // namespace coppice

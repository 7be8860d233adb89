// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A folder of its own for each test of the command line, so that they find
/// only the trees that they have started.
///
/// Layer: tests.
/// Threads: one thread.
/// Rules: none.

#include "cli/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace cli_test {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CommandLine : public ::testing::Test {
protected:
  CommandLine() {
    auto name = (std::filesystem::temp_directory_path() / "coppice-cli-XXXXXX")
                  .string();
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{"no folder for the test"};
    folder_ = name;
  }
  ~CommandLine() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::filesystem::path folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path runtime_file(const std::string& x) const {
    return folder_ / "coppice" / (x + ".json");
  }

  std::string file(const std::string& name, const std::string& content) const {
    const auto path = (folder_ / name).string();
    std::ofstream{path} << content;
    return path;
  }

  [[nodiscard]] environment surroundings() const {
    return {{"XDG_RUNTIME_DIR", folder_.string()}};
  }

  [[nodiscard]] result coppice(std::vector<std::string> arguments) const {
    return run(COPPICE_PROGRAM, std::move(arguments), surroundings());
  }

  /// One that runs in the background, and kills it at the end.
  struct running : program {
    running(const CommandLine& test, const std::string& path,
            std::vector<std::string> more = {})
      : program(COPPICE_PROGRAM, arguments(path, std::move(more)),
                test.surroundings()) {}

    static std::vector<std::string> arguments(const std::string& path,
                                              std::vector<std::string> more) {
      more.insert(more.begin(), {"run", path});
      return more;
    }

    bool is_ready() { return wait_for(" is ready after "); }
    int stop(int number = SIGTERM) {
      signal(number);
      return wait_for_end();
    }
  };

  [[nodiscard]] nlohmann::json tree() const {
    return nlohmann::json::parse(coppice({"tree", "--json"}).out, nullptr,
                                 false);
  }

private:
  std::filesystem::path folder_;
};

/// Two workers to whom nothing happens.
inline std::string quiet(const std::string& name = "app",
                         const std::string& every = "100ms") {
  return name
         + " {\n  children = [\n    { id = \"a\", kind = \"beater\", "
           "arguments { every = "
         + every + " } },\n    { id = \"b\", kind = \"beater\" },\n  ]\n}\n";
}

} // namespace cli_test

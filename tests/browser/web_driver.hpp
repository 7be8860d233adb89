// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A browser without a window, driven over the WebDriver protocol.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace coppice::test {

/// What a call may take, and what is waited for: generous, because a loaded
/// machine is no failure of the page.
inline constexpr std::chrono::seconds browser_patience{60};

/// Chromium with one tab, and a profile of its own that goes with it. What
/// does not work throws std::runtime_error, which fails the test.
class web_driver {
public:
  /// Are Chromium and its driver there? Debian: chromium, chromium-driver.
  [[nodiscard]] static bool is_installed();

  web_driver();
  web_driver(const web_driver&) = delete;
  web_driver& operator=(const web_driver&) = delete;
  ~web_driver();

  /// Returns when the page and its script are loaded.
  void open(const std::string& url);
  void resize(int width, int height);
  /// What the page is told of the colours that its reader prefers.
  void prefer(const std::string& colours);

  /// Like a hand would, and only where a hand could. @param css  A selector.
  void click(const std::string& css);
  /// Into what has the focus. `keys::` names those without a letter.
  void press(const std::string& keys);

  /// Runs the body of a function; what it returns.
  nlohmann::json run(const std::string& script);
  /// Of an expression.
  std::string text(const std::string& expression);
  /// Asks until `condition`, an expression, holds; false if it never does.
  bool eventually(const std::string& condition);

  void screenshot(const std::filesystem::path& file);

private:
  class driver_process;

  nlohmann::json call(const std::string& method, const std::string& path,
                      const nlohmann::json& body);
  nlohmann::json call_session(const std::string& path,
                              const nlohmann::json& body);
  nlohmann::json devtools(const std::string& command,
                          const nlohmann::json& parameters);
  std::string find(const std::string& css);

  std::unique_ptr<driver_process> process_;
  std::string session_;
};

namespace keys {

inline constexpr const char* enter = "\xEE\x80\x87";
inline constexpr const char* escape = "\xEE\x80\x8C";
inline constexpr const char* end = "\xEE\x80\x90";
inline constexpr const char* home = "\xEE\x80\x91";
inline constexpr const char* left = "\xEE\x80\x92";
inline constexpr const char* up = "\xEE\x80\x93";
inline constexpr const char* right = "\xEE\x80\x94";
inline constexpr const char* down = "\xEE\x80\x95";

} // namespace keys

} // namespace coppice::test

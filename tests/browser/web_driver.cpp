// This file is part of coppice. License: see LICENSE in the source root.

#include "browser/web_driver.hpp"

#include <httplib.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>

extern char** environ;

namespace coppice::test {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto driver_program = "/usr/bin/chromedriver";
constexpr auto browser_program = "/usr/bin/chromium";

// What WebDriver calls an element, in its answers.
constexpr auto element_key = "element-6066-11e4-a52e-4f735466cecf";

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error{"browser: " + what};
}

std::filesystem::path make_folder() {
  auto name
    = (std::filesystem::temp_directory_path() / "coppice-browser-XXXXXX")
        .string();
  if (mkdtemp(name.data()) == nullptr)
    fail("cannot make " + name);
  return name;
}

std::string decode_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  unsigned bits = 0;
  int count = 0;
  for (const auto c : text) {
    const auto digit = digits.find(c);
    if (digit == std::string_view::npos)
      break;
    bits = bits << 6U | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      result += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
    }
  }
  return result;
}

json capabilities(const std::filesystem::path& profile) {
  const json arguments = {"--headless=new",
                          "--no-sandbox",
                          "--disable-gpu",
                          "--disable-quic",
                          "--disable-dev-shm-usage",
                          "--no-first-run",
                          "--disable-background-networking",
                          "--disable-component-update",
                          "--disable-sync",
                          "--user-data-dir=" + profile.string()};
  return {{"capabilities",
           {{"alwaysMatch",
             {{"goog:chromeOptions",
               {{"binary", browser_program}, {"args", arguments}}}}}}}};
}

} // namespace

/// The driver in a process group of its own, so that no browser is left over.
class web_driver::driver_process {
public:
  driver_process() : folder(make_folder()) {
    int ends[2];
    if (pipe(ends) != 0)
      fail("no pipe");
    start(ends);
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
    client = std::make_unique<httplib::Client>("127.0.0.1", read_port());
    client->set_read_timeout(browser_patience);
    client->set_keep_alive(true);
  }

  ~driver_process() {
    client.reset();
    kill(-pid_, SIGTERM);
    for (int i = 0; waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
      if (i == 100)
        kill(-pid_, SIGKILL);
      std::this_thread::sleep_for(20ms);
    }
    kill(-pid_, SIGKILL);
    if (out_ != nullptr)
      fclose(out_);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  driver_process(const driver_process&) = delete;
  driver_process& operator=(const driver_process&) = delete;

  const std::filesystem::path folder;
  std::unique_ptr<httplib::Client> client;

private:
  void start(const int (&ends)[2]) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&files, ends[0]);
    posix_spawn_file_actions_addclose(&files, ends[1]);
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP);
    std::string program = driver_program;
    std::string port = "--port=0";
    char* arguments[] = {program.data(), port.data(), nullptr};
    const auto status = posix_spawn(&pid_, driver_program, &files, &how,
                                    arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    if (status != 0)
      fail(std::string{driver_program} + " cannot be started");
  }

  /// "ChromeDriver was started successfully on port 12345."
  int read_port() {
    constexpr std::string_view before = "successfully on port ";
    char line[512];
    while (fgets(line, sizeof line, out_) != nullptr) {
      const std::string text = line;
      if (const auto at = text.find(before); at != std::string::npos)
        return std::atoi(text.c_str() + at + before.size());
    }
    fail("its driver does not say on which port it is");
  }

  pid_t pid_ = -1;
  FILE* out_ = nullptr;
};

bool web_driver::is_installed() {
  return access(driver_program, X_OK) == 0
         && access(browser_program, X_OK) == 0;
}

web_driver::web_driver() : process_(std::make_unique<driver_process>()) {
  session_ = call("POST", "/session", capabilities(process_->folder))
               .at("sessionId")
               .get<std::string>();
}

web_driver::~web_driver() {
  process_->client->Delete("/session/" + session_);
}

json web_driver::call(const std::string& method, const std::string& path,
                      const json& body) {
  const auto answer = method == "GET"
                        ? process_->client->Get(path)
                        : process_->client->Post(path, body.dump(),
                                                 "application/json");
  if (!answer)
    fail(method + ' ' + path + ": " + to_string(answer.error()));
  auto value = json::parse(answer->body).at("value");
  if (answer->status != 200)
    fail(path + ": " + value.value("message", answer->body));
  return value;
}

json web_driver::call_session(const std::string& path, const json& body) {
  return call("POST", "/session/" + session_ + path, body);
}

json web_driver::devtools(const std::string& command, const json& parameters) {
  return call_session("/goog/cdp/execute",
                      {{"cmd", command}, {"params", parameters}});
}

void web_driver::open(const std::string& url) {
  call_session("/url", {{"url", url}});
}

void web_driver::resize(int width, int height) {
  devtools("Emulation.setDeviceMetricsOverride", {{"width", width},
                                                  {"height", height},
                                                  {"deviceScaleFactor", 1},
                                                  {"mobile", false}});
}

void web_driver::prefer(const std::string& colours) {
  devtools("Emulation.setEmulatedMedia",
           {{"features", json::array({{{"name", "prefers-color-scheme"},
                                       {"value", colours}}})}});
}

std::string web_driver::find(const std::string& css) {
  return call_session("/element", {{"using", "css selector"}, {"value", css}})
    .at(element_key)
    .get<std::string>();
}

void web_driver::click(const std::string& css) {
  call_session("/element/" + find(css) + "/click", json::object());
}

void web_driver::press(const std::string& keys) {
  const auto focused = call("GET", "/session/" + session_ + "/element/active",
                            {})
                         .at(element_key)
                         .get<std::string>();
  call_session("/element/" + focused + "/value", {{"text", keys}});
}

json web_driver::run(const std::string& script) {
  return call_session("/execute/sync",
                      {{"script", script}, {"args", json::array()}});
}

std::string web_driver::text(const std::string& expression) {
  const auto value = run("return " + expression);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool web_driver::eventually(const std::string& condition) {
  const auto end = std::chrono::steady_clock::now() + browser_patience;
  while (run("return Boolean(" + condition + ")") != true) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

void web_driver::screenshot(const std::filesystem::path& file) {
  const auto image = call("GET", "/session/" + session_ + "/screenshot", {});
  std::filesystem::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary}
    << decode_base64(image.get<std::string>());
}

} // namespace coppice::test

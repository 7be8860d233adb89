// This file is part of coppice. License: see LICENSE in the source root.

#include "self_test.hpp"

#include "coppice/system_config.hpp"

#include "data_set.hpp"
#include "figures.hpp"
#include "http_front.hpp"
#include "service.hpp"

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace blob_service {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// Says what holds, and what does not.
class checks {
public:
  void expect(bool holds, const std::string& what) {
    std::printf("%s: %s\n", holds ? "ok" : "FAILED", what.c_str());
    std::fflush(stdout);
    if (!holds)
      ++failures_;
  }

  [[nodiscard]] int failures() const noexcept { return failures_; }

private:
  int failures_ = 0;
};

/// All of the service, with an address of its own.
struct instance {
  instance(caf::actor_system& system, const options& how)
    : data(how), blobs(system, how, data), http(blobs, seen, how) {}

  const data_set data;
  service blobs;
  traffic seen;
  http_front http;
};

httplib::Client client_of(const instance& x) {
  httplib::Client result{"127.0.0.1", x.http.port()};
  result.set_keep_alive(true);
  result.set_tcp_nodelay(true);
  result.set_url_encode(false); // what is sent is what the test says
  result.set_read_timeout(30s);
  return result;
}

/// Answers to many requests.
struct tally {
  std::map<int, int> by_status{}; ///< -1: no answer at all.
  int wrong_bytes = 0;
  int without_hint = 0; ///< 503 that does not say when to come back.

  [[nodiscard]] bool all_good(int requests) const {
    return by_status == std::map<int, int>{{200, requests}} && wrong_bytes == 0;
  }

  [[nodiscard]] std::string text() const {
    std::string result = "(";
    for (const auto& [status, count] : by_status)
      result += std::to_string(status) + ": " + std::to_string(count) + ", ";
    return result + std::to_string(wrong_bytes) + " wrong)";
  }
};

/// What the files hold, by name.
std::map<std::string, std::string> contents_of(const data_set& x) {
  std::map<std::string, std::string> result;
  for (const auto& name : x.names())
    result[name] = bytes_of(x.replicas().front() / name);
  return result;
}

/// `clients` of them ask for all blobs in turn, `requests` times in sum.
/// @param on_sent  Called with the number of each request, on its thread.
tally ask_for_blobs(const instance& of, int clients, int requests,
                    const std::function<void(int)>& on_sent = {}) {
  const auto files = contents_of(of.data);
  const auto& names = of.data.names();
  std::atomic<int> next{0};
  std::mutex guard;
  tally result;
  const auto run = [&] {
    auto client = client_of(of);
    for (auto i = next++; i < requests; i = next++) {
      if (on_sent)
        on_sent(i);
      const auto& name = names[static_cast<std::size_t>(i) % names.size()];
      const auto got = client.Get("/blob/" + name);
      const std::lock_guard lock{guard};
      ++result.by_status[got ? got->status : -1];
      if (got && got->status == 200 && got->body != files.at(name))
        ++result.wrong_bytes;
      if (got && got->status == 503 && !got->has_header("Retry-After"))
        ++result.without_hint;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i)
    threads.emplace_back(run);
  for (auto& x : threads)
    x.join();
  return result;
}

void serves_files(checks& that, caf::actor_system& system, options how) {
  instance x{system, how};
  auto client = client_of(x);
  const auto all = static_cast<int>(x.data.names().size());
  for (const auto mode : all_modes) {
    const auto name = std::string{to_string(mode)};
    const auto set = client.Post("/mode?set=" + name);
    that.expect(set && set->status == 200, name + ": is switched on");
    const auto got = ask_for_blobs(x, 4, 2 * all);
    that.expect(got.all_good(2 * all),
                name + ": all blobs equal their files " + got.text());
  }
  const auto path = "/blob/" + x.data.names().front();
  const auto bytes
    = bytes_of(x.data.replicas().back() / x.data.names().front());
  const auto head = client.Head(path);
  that.expect(head && head->status == 200
                && head->get_header_value("Content-Length")
                     == std::to_string(bytes.size()),
              "HEAD says how long it is");
  const auto part = client.Get(path, {httplib::make_range_header({{2, 5}})});
  that.expect(part && part->status == 206 && part->body == bytes.substr(2, 4),
              "a range of it");
  const auto stats = client.Get("/stats");
  const auto parsed = stats ? json::parse(stats->body, nullptr, false) : json{};
  that.expect(parsed.is_object() && parsed["mode"] == "tied"
                && parsed["by_status"]["200"].get<int>() > 8 * all
                && parsed["modes"]["race"]["requests"].get<int>() == 2 * all
                && parsed["modes"]["race"]["copies_sent"].get<int>() > 2 * all
                && parsed["window"]["p99_ms"].is_number(),
              "figures are JSON and say what was done");
}

void refuses_what_is_wrong(checks& that, caf::actor_system& system,
                           options how) {
  instance x{system, how};
  auto client = client_of(x);
  const auto problem = [&](const httplib::Result& got, int status,
                           const std::string& what) {
    const auto body = got ? json::parse(got->body, nullptr, false) : json{};
    that.expect(got && got->status == status
                  && got->get_header_value("Content-Type")
                       == "application/problem+json"
                  && body.is_object() && body["status"] == status
                  && !body["detail"].get<std::string>().empty(),
                std::to_string(status) + " for " + what + " (got "
                  + std::to_string(got ? got->status : -1) + ")");
  };
  for (const std::string path :
       {"/blob/../a/blob-0", "/blob/..", "/blob/%2e%2e%2fa%2fblob-0",
        "/blob/..%2f..%2f..%2fetc%2fpasswd", "/blob//etc/passwd",
        "/blob/%2fetc%2fpasswd", "/blob/%252e%252e%252fa", "/blob/.hidden",
        "/blob/blob-0%00", "/blob/", "/blob/a\\b", "/blob/%zz"})
    problem(client.Get(path), 400, path);
  problem(client.Get("/blob/" + std::string(129, 'x')), 400, "129 letters");
  problem(client.Get("/blob/" + std::string(8'000, 'x')), 400, "8000 letters");
  problem(client.Get("/blob/" + std::string(9'000, 'x')), 414, "9000 letters");
  for (const auto mode : all_modes) {
    x.blobs.set_mode(mode);
    problem(client.Get("/blob/none"), 404,
            std::string{"a blob that is not there, "} + to_string(mode));
  }
  auto nobody_is_blamed = true;
  for (const auto mode : all_modes) {
    x.blobs.set_mode(mode);
    for (int i = 0; i < 20; ++i)
      static_cast<void>(client.Get("/blob/none"));
    for (const auto& replica : x.blobs.statistics(mode).core.replicas)
      nobody_is_blamed = nobody_is_blamed && replica.times_set_aside == 0;
  }
  that.expect(nobody_is_blamed, "no replica is set aside for that");
  problem(client.Get("/etc/passwd"), 404, "another address");
  problem(client.Delete("/blob/blob-0"), 405, "DELETE of a blob");
  problem(client.Post("/stats"), 405, "POST of figures");
  problem(client.Get("/mode?set=off"), 405, "GET of a mode");
  problem(client.Post("/mode?set=fast"), 400, "an unknown mode");
  problem(client.Post("/mode"), 400, "no mode");
  problem(client.Post("/mode?set=off",
                      httplib::Headers{{"Origin", "http://example.com"}}),
          403, "a mode from another page");
  problem(client.Post("/mode", std::string(2'000, 'x'), "text/plain"), 413,
          "a long body");
  const auto after = client.Get("/blob/" + x.data.names().front());
  that.expect(after && after->status == 200, "and a blob is served as before");
}

void survives_a_failing_replica(checks& that, caf::actor_system& system,
                                options how) {
  how.troubles["b"].fail_share = 1;
  how.budget = 1; // one more each: a third of them needs it
  instance x{system, how};
  for (const auto mode :
       {serving_mode::race, serving_mode::hedge, serving_mode::tied}) {
    x.blobs.set_mode(mode);
    const auto got = ask_for_blobs(x, 3, 300);
    that.expect(got.all_good(300), std::string{to_string(mode)}
                                     + ": replica b fails always, and nothing "
                                       "is lost "
                                     + got.text());
  }
  that.expect(x.blobs.sites().at(1)->broken > 0, "it was asked, and did fail");
}

void survives_a_stopped_replica(checks& that, caf::actor_system& system,
                                options how) {
  constexpr int requests = 900;
  how.budget = 1;
  instance x{system, how};
  for (const auto mode : {serving_mode::race, serving_mode::hedge}) {
    x.blobs.set_mode(mode);
    std::atomic<bool> stopped{false};
    std::atomic<bool> restarted{false};
    const auto got = ask_for_blobs(x, 3, requests, [&](int number) {
      if (number == requests / 3)
        stopped = x.blobs.stop_replica("a").has_value();
      else if (number == 2 * requests / 3)
        restarted = x.blobs.restart_replica("a").has_value();
    });
    const auto name = std::string{to_string(mode)};
    that.expect(stopped && restarted,
                name + ": replica a stops and comes back");
    that.expect(got.all_good(requests),
                name + ": nothing is lost meanwhile " + got.text());
  }
  const auto& a = *x.blobs.sites().front();
  const auto before = a.begun.load();
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (a.begun == before && std::chrono::steady_clock::now() < end)
    static_cast<void>(ask_for_blobs(x, 1, 10));
  that.expect(a.begun > before, "replica a reads again");
}

void turns_away_when_full(checks& that, caf::actor_system& system,
                          options how) {
  how.workers = 1;
  how.queue = 1;
  how.mode = serving_mode::off;
  how.deadline = 20s;
  how.sets_aside = false;
  for (std::uint32_t i = 0; i < how.replicas; ++i)
    how.troubles[replica_name(i)] = {.delay = 500ms, .slow_share = 1};
  instance x{system, how};
  const auto got = ask_for_blobs(x, 24, 24);
  that.expect(got.by_status.size() == 2 && got.by_status.contains(200)
                && got.by_status.contains(503) && got.wrong_bytes == 0
                && got.without_hint == 0,
              "served, or told when to come back " + got.text());
}

void gives_up_at_the_deadline(checks& that, caf::actor_system& system,
                              options how) {
  how.deadline = 100ms;
  for (std::uint32_t i = 0; i < how.replicas; ++i)
    how.troubles[replica_name(i)] = {.delay = 60s, .slow_share = 1};
  instance x{system, how};
  for (const auto mode : all_modes) {
    x.blobs.set_mode(mode);
    const auto got = ask_for_blobs(x, 2, 4);
    that.expect(got.by_status == std::map<int, int>{{504, 4}},
                std::string{to_string(mode)} + ": 504 at the deadline "
                  + got.text());
  }
}

} // namespace

int self_test(const options& given) {
  auto how = given;
  how.port = 0;
  how.address = "127.0.0.1";
  how.workers = 8; // races need room: a third of all readers at most
  how.deadline = 10s;
  coppice::system_config config;
  caf::actor_system system{config};
  checks that;
  serves_files(that, system, how);
  refuses_what_is_wrong(that, system, how);
  survives_a_failing_replica(that, system, how);
  survives_a_stopped_replica(that, system, how);
  turns_away_when_full(that, system, how);
  gives_up_at_the_deadline(that, system, how);
  std::printf("self-test %s, seed %llu\n",
              that.failures() == 0 ? "passed" : "failed",
              static_cast<unsigned long long>(how.seed));
  return that.failures() == 0 ? all_is_well : failed;
}

} // namespace blob_service

// This file is part of coppice. License: see LICENSE in the source root.

#include "options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

namespace blob_service {

namespace {

using coppice::policy::duration;
using std::chrono::milliseconds;

std::optional<double> number_from(std::string_view text) {
  double x = 0;
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, x);
  if (error != std::errc{} || at != end)
    return std::nullopt;
  return x;
}

std::optional<double> share_from(std::string_view text) {
  const auto x = number_from(text);
  return x && *x >= 0 && *x <= 1 ? x : std::nullopt;
}

/// "50ms" or "1s"; from 1 ms to an hour.
std::optional<milliseconds> span_from(std::string_view text) {
  const auto is_ms = text.ends_with("ms");
  if (!is_ms && !text.ends_with('s'))
    return std::nullopt;
  text.remove_suffix(is_ms ? 2 : 1);
  const auto x = number_from(text);
  const auto in_ms = x ? *x * (is_ms ? 1 : 1'000) : 0;
  if (!(in_ms >= 1 && in_ms <= 3'600'000))
    return std::nullopt;
  return milliseconds{static_cast<std::int64_t>(in_ms)};
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> result;
  for (;;) {
    const auto colon = text.find(':');
    result.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos)
      return result;
    text.remove_prefix(colon + 1);
  }
}

/// `text` is "a:50ms" or "a:50ms:0.2".
bool add_slow(const std::string& text, std::map<std::string, trouble>& to) {
  const auto parts = parts_of(text);
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty())
    return false;
  const auto delay = span_from(parts[1]);
  const auto share = parts.size() == 3 ? share_from(parts[2]) : 1.0;
  if (!delay || !share)
    return false;
  auto& x = to[std::string{parts[0]}];
  x.delay = *delay;
  x.slow_share = *share;
  return true;
}

/// `text` is "b:0.1".
bool add_failing(const std::string& text, std::map<std::string, trouble>& to) {
  const auto parts = parts_of(text);
  const auto share = parts.size() == 2 ? share_from(parts[1]) : std::nullopt;
  if (!share || parts[0].empty())
    return false;
  to[std::string{parts[0]}].fail_share = *share;
  return true;
}

/// As CLI11 takes it: nothing if the text is fine.
template <class F>
CLI::Validator rule(F is_fine, std::string expected) {
  return {[=](std::string& text) {
            return is_fine(text) ? std::string{}
                                 : '\'' + text + "' is not " + expected;
          },
          {}};
}

/// What becomes options only when all of them are known.
struct raw_options {
  std::vector<std::string> slow = {};
  std::vector<std::string> fail = {};
  std::string mode = {};
  std::string deadline = {};
  bool no_ejection = false;
};

void declare_data(CLI::App& app, options& into) {
  app
    .add_option("--data", into.data,
                "Directory whose files are served; default: generated ones")
    ->check(CLI::ExistingDirectory);
  app.add_option("--blobs", into.blobs, "Generated files; default: 64")
    ->check(CLI::Range(1, 10'000));
  app
    .add_option("--blob-bytes", into.blob_bytes,
                "Size of each of them; default: 16384")
    ->check(CLI::Range(0, 16'777'216));
  app
    .add_option("--under", into.under,
                "Directory for the replicas, which are kept; default: a "
                "temporary one")
    ->check(CLI::ExistingDirectory);
}

void declare_replicas(CLI::App& app, options& into, raw_options& raw) {
  const auto ignored = [](auto add) {
    return [add](const std::string& text) {
      std::map<std::string, trouble> nobody;
      return add(text, nobody);
    };
  };
  app // two that are tied, and one for when it takes long
    .add_option("--replicas", into.replicas, "Copies of the data; default: 3")
    ->check(CLI::Range(3, 8));
  app.add_option("--workers", into.workers, "Reads per replica; default: 4")
    ->check(CLI::Range(1, 64));
  app.add_option("--queue", into.queue, "Waiting per replica; default: 256")
    ->check(CLI::Range(1, 100'000));
  app
    .add_option("--slow", raw.slow,
                "Reads of a replica that take longer: a:50ms, or a:50ms:0.2 "
                "for 20 % of them")
    ->check(rule(ignored(add_slow), "<replica>:<delay>[:<share>], such as "
                                    "a:50ms:0.2"));
  app
    .add_option("--fail", raw.fail,
                "Reads of a replica that fail: b:0.1 for 10 % of them")
    ->check(rule(ignored(add_failing), "<replica>:<share>, such as b:0.1"));
  app.add_option("--seed", into.seed, "Of all of that; default: 1");
}

void declare_policy(CLI::App& app, options& into, raw_options& raw) {
  app
    .add_option("--mode", raw.mode, "off, race, hedge or tied; default: hedge")
    ->check(rule([](const std::string& x) { return mode_from(x).has_value(); },
                 "off, race, hedge or tied"));
  app
    .add_option("--budget", into.budget,
                "Extra copies per request; default: 0.05")
    ->check(CLI::Range(0.0, 7.0));
  app
    .add_option("--reserve", into.reserve,
                "Extra copies in 10 s beyond that; default: 10")
    ->check(CLI::Range(0, 1'000));
  app.add_flag("--no-ejection", raw.no_ejection,
               "Do not set slow and failing replicas aside");
}

void declare_service(CLI::App& app, options& into, raw_options& raw) {
  app.add_option("--address", into.address, "Default: 127.0.0.1");
  app.add_option("--port", into.port, "0: any; default: 8080")
    ->check(CLI::Range(0, 65'535));
  app
    .add_option("--connections", into.connections,
                "At a time, a thread each; default: 64")
    ->check(CLI::Range(1, 512));
  app.add_option("--deadline", raw.deadline, "Per request; default: 1s")
    ->check(rule([](const std::string& x) { return span_from(x).has_value(); },
                 "a length from 1ms to 3600s, such as 500ms or 2s"));
  app.add_flag("--self-test", into.self_test,
               "Serve itself for a while, look at the answers, and end");
}

bool convert(const raw_options& from, options& into) {
  for (const auto& x : from.slow)
    add_slow(x, into.troubles);
  for (const auto& x : from.fail)
    add_failing(x, into.troubles);
  if (!from.mode.empty())
    into.mode = *mode_from(from.mode);
  if (!from.deadline.empty())
    into.deadline = *span_from(from.deadline);
  into.sets_aside = !from.no_ejection;
  for (const auto& [name, what] : into.troubles) {
    auto is_there = false;
    for (std::uint32_t i = 0; i < into.replicas; ++i)
      is_there = is_there || name == replica_name(i);
    if (!is_there) {
      std::fprintf(stderr,
                   "--slow, --fail: '%s' is not a replica; they are"
                   " 'a' to '%s'\n",
                   name.c_str(), replica_name(into.replicas - 1).c_str());
      return false;
    }
  }
  return true;
}

} // namespace

const char* to_string(serving_mode x) noexcept {
  switch (x) {
    case serving_mode::off:
      return "off";
    case serving_mode::race:
      return "race";
    case serving_mode::hedge:
      return "hedge";
    case serving_mode::tied:
      return "tied";
  }
  return "?";
}

std::optional<serving_mode> mode_from(std::string_view name) {
  const auto found = std::ranges::find_if(all_modes, [=](serving_mode x) {
    return name == to_string(x);
  });
  if (found == all_modes.end())
    return std::nullopt;
  return *found;
}

std::string replica_name(std::uint32_t number) {
  return std::string(1, static_cast<char>('a' + number));
}

std::variant<options, int> parse_options(int argc, char** argv) {
  CLI::App app{"Serves files over HTTP, by racing reads over replicas."};
  options result;
  raw_options raw;
  declare_data(app, result);
  declare_replicas(app, result, raw);
  declare_policy(app, result, raw);
  declare_service(app, result, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? all_is_well : bad_usage;
  }
  if (!convert(raw, result))
    return bad_usage;
  return result;
}

} // namespace blob_service

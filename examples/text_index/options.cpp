// This file is part of coppice. License: see LICENSE in the source root.

#include "options.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <charconv>
#include <filesystem>

namespace text_index {

namespace {

/// Says what is wrong: nothing if the text is empty.
CLI::Validator rule(std::string (*check)(const std::string&)) {
  return {[check](std::string& text) { return check(text); }, {}};
}

std::string refusal(const std::string& value, const std::string& expected) {
  return '\'' + value + "' is not " + expected;
}

template <class T>
CLI::Validator number_between(T least, T most, std::string expected) {
  return {[=](std::string& text) {
            T x{};
            const auto end = text.data() + text.size();
            const auto [at, error] = std::from_chars(text.data(), end, x);
            const auto is_fine = error == std::errc{} && at == end && x >= least
                                 && x <= most;
            return is_fine ? std::string{} : refusal(text, expected);
          },
          {}};
}

std::string check_directory(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return refusal(path, std::filesystem::exists(path, error)
                           ? "a directory, but a file"
                           : "there; expected is a directory");
  if (access(path.c_str(), R_OK | X_OK) != 0)
    return refusal(path, "readable; expected is a directory to list");
  return {};
}

std::string check_fault_name(const std::string& name) {
  if (fault_from_name(name))
    return {};
  std::string expected = "a fault; did you mean '";
  expected += nearest_fault_name(name);
  expected += "'? Expected are some of";
  for (const auto known : fault_names)
    expected.append(" ").append(known);
  return refusal(name, expected);
}

/// A number of milliseconds, from text such as "300ms" or "5s".
CLI::Validator length_of_time() {
  return {[](std::string& text) {
            const auto given = text;
            double x = 0;
            const auto end = text.data() + text.size();
            const auto [at, error] = std::from_chars(text.data(), end, x);
            const std::string_view unit{at, static_cast<std::size_t>(end - at)};
            x *= unit == "s" ? 1'000 : 1;
            if (error != std::errc{} || (unit != "s" && unit != "ms")
                || !(x >= 20 && x <= 3'600'000))
              return refusal(given, "a length from 20ms to 3600s, such as "
                                    "300ms or 5s");
            text = std::to_string(static_cast<std::int64_t>(x));
            return std::string{};
          },
          {}};
}

struct raw_options {
  std::vector<std::string> fault_names;
  std::int64_t stall_timeout = 0;
  std::int64_t stop_within = 0;
  bool no_check = false;
};

void declare_work(CLI::App& app, options& into, raw_options& raw) {
  app
    .add_option("directory", into.directories,
                "Directories to index; default: the system's licences and "
                "documentation")
    ->check(rule(check_directory));
  app.add_option("--workers", into.workers, "Default: 4")
    ->check(number_between<std::uint32_t>(1, 64, "a number from 1 to 64"));
  app.add_option("--limit-files", into.files_max, "Default: all")
    ->check(number_between<std::size_t>(1, 100'000'000,
                                        "a number from 1 to 100000000"));
  app.add_flag("--no-check", raw.no_check,
               "Do not compare with a plain single-threaded run");
  app
    .add_option("--stop-within", raw.stop_within,
                "For the orderly stop of the tree; default: 5s")
    ->transform(length_of_time());
}

void declare_faults(CLI::App& app, options& into, raw_options& raw) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  auto& faults = into.faults;
  app
    .add_option("--fault-rate", faults.rate, "Per file and life; default: 0.01")
    ->check(number_between(0.0, 1.0, "a number from 0 to 1"));
  app
    .add_option("--faults", raw.fault_names,
                "Some of throw,kill,loop,stall,mute; default: all")
    ->delimiter(',')
    ->check(rule(check_fault_name));
  app
    .add_option("--service-fault-rate", faults.service_rate,
                "Per request to coordinator and merger; default: 0")
    ->check(number_between(0.0, 0.5, "a number from 0 to 0.5"));
  app.add_option("--seed", faults.seed, "Of all faults; default: 1")
    ->check(number_between<std::uint64_t>(0, most, "a number of 64 bits"));
  app
    .add_option("--poison", faults.poison,
                "Files that every life falls over; default: 0")
    ->check(number_between<std::uint32_t>(0, 1'000'000,
                                          "a number from 0 to 1000000"));
  app
    .add_option("--poison-after", into.poison_after,
                "Lives that fall over a file before it is set aside; "
                "default: 3")
    ->check(number_between<std::uint32_t>(
      2, 1'000, "a number from 2 to 1000: one life may fall by chance"));
  app
    .add_option("--stall-timeout", raw.stall_timeout,
                "Longest silence of a worker; default: 300ms")
    ->transform(length_of_time());
  app
    .add_option("--abandoned-max", into.abandoned_max,
                "Lives that hang for good before the tree gives up; "
                "default: 1000")
    ->check(
      number_between<std::uint64_t>(0, 30'000, "a number from 0 to 30000"));
}

void convert(const raw_options& from, options& into) {
  using std::chrono::milliseconds;
  into.check = !from.no_check;
  if (from.stall_timeout > 0)
    into.stall_timeout = milliseconds{from.stall_timeout};
  if (from.stop_within > 0)
    into.stop_within = milliseconds{from.stop_within};
  if (!from.fault_names.empty())
    into.faults.kinds.clear();
  for (const auto& name : from.fault_names)
    into.faults.kinds.push_back(*fault_from_name(name));
}

} // namespace

std::variant<options, int> parse_options(int argc, char** argv) {
  CLI::App app{"Indexes the words of text files, by workers that fall."};
  options result;
  raw_options raw;
  declare_work(app, result, raw);
  declare_faults(app, result, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? all_is_well : bad_usage;
  }
  convert(raw, result);
  return result;
}

} // namespace text_index

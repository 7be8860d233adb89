// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Scenarios that a real OTP supervisor went through, read from a file.
///
/// Layer: tests.
/// Threads: values.
/// Rules: none; the format is described in tests/data/README.md.

#include "coppice/policy/spec.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace coppice::test {

/// What was seen in one step, as text: easy to compare, easy to read.
struct observation {
  std::string result;
  std::string journal;
  std::string counts;
  std::string listing;

  friend bool operator==(const observation&, const observation&) = default;
};

struct trace_step {
  /// The operation and its arguments.
  std::vector<std::string> op;
  observation seen;
  /// The last step stops the supervisor; nobody asked for a listing then.
  bool state_known = true;
};

struct trace {
  int scenario = 0;
  policy::supervisor_spec spec;
  std::vector<trace_step> steps;
};

/// "start a, end a failed": the parts of each row by spaces, rows by commas.
inline std::string to_text(const nlohmann::json& x) {
  if (x.is_string())
    return x.get<std::string>();
  if (!x.is_array())
    return x.dump();
  std::string text;
  for (const auto& part : x) {
    if (!text.empty())
      text += part.is_array() ? ", " : " ";
    text += to_text(part);
  }
  return text;
}

template <class Enum>
Enum enum_from(const nlohmann::json& x, std::initializer_list<Enum> values) {
  const auto text = x.get<std::string>();
  for (const auto value : values)
    if (text == policy::to_string(value))
      return value;
  throw std::runtime_error("the traces say " + text + "; what is that?");
}

inline policy::child_spec child_from(const nlohmann::json& x) {
  using namespace policy;
  return {.id = x.at("id").get<std::string>(),
          .restart = enum_from(x.at("restart"),
                               {permanent, transient, temporary}),
          .significant = x.at("significant").get<bool>()};
}

inline policy::supervisor_spec spec_from(const nlohmann::json& x) {
  using namespace policy;
  using mode = auto_shutdown_mode;
  supervisor_spec spec{
    .strategy = enum_from(x.at("strategy"),
                          {one_for_one, one_for_all, rest_for_one}),
    .limits = {.restarts_max = x.at("intensity").get<std::uint32_t>(),
               .window = std::chrono::hours{1}},
    .auto_shutdown
    = enum_from(x.at("auto_shutdown"),
                {mode::never, mode::any_significant, mode::all_significant})};
  for (const auto& child : x.at("children"))
    spec.children.push_back(child_from(child));
  return spec;
}

inline trace_step step_from(const nlohmann::json& x) {
  trace_step step;
  for (const auto& part : x.at("op"))
    step.op.push_back(to_text(part));
  step.seen.result = to_text(x.at("result"));
  step.seen.journal = to_text(x.at("journal"));
  const auto& state = x.at("state");
  step.state_known = !state.is_null();
  if (state.is_object()) {
    step.seen.counts = to_text(state.at("counts"));
    step.seen.listing = to_text(state.at("listing"));
  } else if (step.state_known) {
    step.seen.listing = to_text(state); // "dead"
  }
  return step;
}

inline trace trace_from(const std::string& line) {
  const auto json = nlohmann::json::parse(line);
  trace result{.scenario = json.at("scenario").get<int>(),
               .spec = spec_from(json),
               .steps = {}};
  for (const auto& step : json.at("steps"))
    result.steps.push_back(step_from(step));
  return result;
}

/// @throws std::exception if the file cannot be read or is not what it should
///         be: a test must not pass because it had nothing to do.
inline std::vector<trace> read_traces(const std::string& path) {
  std::ifstream file{path};
  if (!file)
    throw std::runtime_error("cannot open " + path);
  std::vector<trace> result;
  for (std::string line; std::getline(file, line);)
    result.push_back(trace_from(line));
  return result;
}

} // namespace coppice::test

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Kinds for the tests of topology files; their workers are never started.
///
/// Layer: tests.
/// Threads: values.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/topology.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace coppice::test {

inline void starts_nothing(start_context&) {}

inline void make_picky(argument_reader& given, child_spec& child) {
  using namespace std::chrono_literals;
  const auto word = given.text("word", {.meaning = "What it says."});
  given.time("every", {.meaning = "Between two words."}, 100ms,
             policy::positive);
  const auto size = given.count("size", {.meaning = "How loud."}, 3,
                                {.min = 1, .max = 10});
  given.number("share", {.meaning = "Of the time."}, 1.0,
               {.min = 0.0, .max = 1.0});
  given.flag("loud", {.meaning = "Does it shout?"}, false);
  given.choice("mode", {.meaning = "How fast."}, {"fast", "slow"}, "fast");
  given.texts("words", {.meaning = "Further words."},
              std::vector<std::string>{});
  given.table("environment", {.meaning = "Variables."},
              std::map<std::string, std::string>{});
  if (word == "big" && size < 5)
    given.refuse("size", std::to_string(size), "5 or more for big words");
  child.start = starts_nothing;
}

inline void make_pair(argument_reader&, child_spec& child) {
  child.supervisor
    = supervisor_spec{.children = {{.id = "x", .start = starts_nothing},
                                   {.id = "y", .start = starts_nothing}}};
}

inline worker_kinds kinds() {
  using namespace std::chrono_literals;
  worker_kinds all;
  all.register_worker("idler", "Does nothing.", [](auto&, child_spec& child) {
    child.start = starts_nothing;
  });
  all.register_worker("picky", "Wants to know it all.", make_picky);
  all.register_worker("pair", "Two in one.", make_pair);
  all.register_worker("timid", "Gives up.", [](auto&, child_spec& child) {
    child.restart = policy::temporary;
    child.heartbeat.stall_timeout = 7s;
    child.start = starts_nothing;
  });
  all.register_worker("secretive", "Tells nobody.",
                      [](argument_reader& given, child_spec& child) {
                        given.text("password", {.meaning = "Of the database.",
                                                .sensitive = true});
                        child.start = starts_nothing;
                      });
  all.register_worker("lazy", "Makes nothing.", [](auto&, auto&) {});
  all.register_worker("moody", "Throws.", [](auto&, auto&) {
    throw std::runtime_error{"not\ntoday"};
  });
  return all;
}

} // namespace coppice::test

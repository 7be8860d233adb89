// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Kinds of workers: what topology files call by name, and their arguments.
///
/// Layer: L2.
/// Threads: `worker_kinds` is a value; factories run on the thread that parses.
/// Rules: docs/semantics.md, TOPOLOGY-1.
///
///     kinds.register_worker(
///       "ticker", "Beats at intervals.",
///       [](coppice::argument_reader& given, coppice::child_spec& child) {
///         const auto every
///           = given.time("every", {"Between two beats."}, 100ms);
///         child.start = coppice::spawns(ticker, every.span());
///       });

#include "coppice/policy/spec_section.hpp"
#include "coppice/spec.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// What people are told of an argument.
struct argument_doc {
  /// One line, for the reference page.
  std::string meaning = {};
  /// What may be said, if type and range do not say it all: "a host name".
  std::string expected = {};
  /// Neither defects nor descriptions show it: passwords and the like.
  bool sensitive = false;
};

/// Both ends included.
struct count_range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

/// Both ends included.
struct number_range {
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
};

struct argument_state; // what the file says, and what was found wrong with it

/// Reads the arguments that a file gives to a kind. Each call declares one.
///
/// Without a fallback the argument has to be given. What is missing or wrong is
/// taken down as a defect of the file, and the call returns some value of the
/// type: go on, so that all that is wrong is found; the child will not start.
/// Declare all arguments, always, and in the same order: the reference page is
/// made by calling the factory with nothing given, and an argument that nobody
/// declared is refused.
class argument_reader {
public:
  explicit argument_reader(argument_state& state) : state_(&state) {}
  argument_reader(const argument_reader&) = delete;
  argument_reader& operator=(const argument_reader&) = delete;

  std::string text(std::string_view name, argument_doc doc,
                   std::optional<std::string> fallback = {});
  /// A length of time. By default of zero or more, or infinity; the ranges are
  /// those of policy/spec_section.hpp.
  time_limit
  time(std::string_view name, argument_doc doc,
       std::optional<time_limit> fallback = {},
       const policy::time_range& range = policy::not_negative_or_infinite);
  std::uint64_t count(std::string_view name, argument_doc doc,
                      std::optional<std::uint64_t> fallback = {},
                      count_range range = {});
  double number(std::string_view name, argument_doc doc,
                std::optional<double> fallback = {}, number_range range = {});
  bool flag(std::string_view name, argument_doc doc,
            std::optional<bool> fallback = {});
  /// One of `names`.
  std::string choice(std::string_view name, argument_doc doc,
                     const std::vector<std::string>& names,
                     std::optional<std::string> fallback = {});
  std::vector<std::string>
  texts(std::string_view name, argument_doc doc,
        std::optional<std::vector<std::string>> fallback = {});
  /// Texts by key: `environment { HOME = "/tmp" }`.
  std::map<std::string, std::string>
  table(std::string_view name, argument_doc doc,
        std::optional<std::map<std::string, std::string>> fallback = {});

  /// For what no single argument is to blame for, or no range can say.
  ///
  /// @param name  The argument that the user should look at first; where it is
  ///              not given, the defect is one of the child's.
  /// @param value  What was found, as text.
  void refuse(std::string_view name, std::string value, std::string expected);

  /// Is something wrong with what was read so far?
  [[nodiscard]] bool has_failed() const noexcept;

private:
  argument_state* state_;
};

/// Makes a child of a kind: sets `child.start` or else `child.supervisor`. It
/// may set other fields as well, as defaults of the kind; what the file says
/// about the child is read after that, and wins. `child.id` is set already.
///
/// Must have no effects: the same file may be parsed to be checked only, and
/// the reference page is made by calls with nothing given. What it throws is a
/// defect of the file.
using kind_factory = std::function<void(argument_reader&, child_spec& child)>;

/// One argument of a kind, as the reference page shows it.
struct argument_line {
  std::string name;
  std::string type;
  /// As it could be written; nothing: it has to be given.
  std::optional<std::string> fallback;
  std::string expected;
  std::string meaning;
};

/// The kinds that a file may use.
class worker_kinds {
public:
  struct kind {
    /// One or more sentences, for the reference page.
    std::string summary;
    kind_factory make;
  };

  /// A kind of the same name is replaced: programs may have their own version
  /// of one that comes with a library.
  /// @param name  In files between quotes; any text. `factory` is not null.
  worker_kinds& register_worker(std::string name, std::string summary,
                                kind_factory factory);

  /// Null if there is none.
  [[nodiscard]] const kind* find(const std::string& name) const;
  /// In alphabetical order.
  [[nodiscard]] const std::map<std::string, kind>& all() const noexcept {
    return kinds_;
  }
  /// In the order of declaration. Empty if there is no such kind.
  [[nodiscard]] std::vector<argument_line>
  arguments_of(const std::string& name) const;

private:
  std::map<std::string, kind> kinds_;
};

} // namespace coppice

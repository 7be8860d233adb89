// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the user asks for, from the arguments of the program.
///
/// Layer: L4.
/// Threads: values.
/// Rules: docs/command_line.md.

#include "coppice/policy/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace coppice::tool {

/// An address to listen at. Port 0: any that is free.
struct listen_address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

struct run_request {
  std::string file;
  /// Nothing: no observer at all.
  std::optional<listen_address> observe = listen_address{};
  /// Was it said, or is it the default?
  bool observe_was_said = false;
  /// Nothing: a random one.
  std::optional<std::string> token;
  /// Nothing: until a signal, or the end of the tree.
  std::optional<policy::duration> lasts;
  bool plain = false;
  bool verbose = false;
};

struct check_request {
  std::string file;
  bool json = false;
  bool strict = false;
};

/// Nothing: the only one that runs.
using tree_name = std::optional<std::string>;

enum class tree_format : std::uint8_t { text, json, dot, paths };

struct tree_request {
  tree_name name;
  tree_format format = tree_format::text;
  bool watch = false;
};

struct ctl_request {
  tree_name name;
  /// As in the API; "shutdown" is of the whole tree.
  std::string action;
  std::string path;
  std::string reason;
};

struct reload_request {
  tree_name name;
};

struct events_request {
  tree_name name;
  bool follow = false;
  bool json = false;
  std::uint64_t after = 0;
};

/// Of the trees that run.
struct list_request {
  bool names_only = false;
};

struct kinds_request {
  std::optional<std::string> name;
  bool names_only = false;
};

struct reference_request {};

struct completion_request {
  std::string script;
};

using request
  = std::variant<run_request, check_request, tree_request, ctl_request,
                 reload_request, events_request, list_request, kinds_request,
                 reference_request, completion_request>;

/// A request; or the status to end with, when all has been said: help, the
/// version, or what is wrong with the arguments.
[[nodiscard]] std::variant<request, int> parse_command_line(int argc,
                                                            char** argv);

} // namespace coppice::tool

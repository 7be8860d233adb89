// This file is part of coppice. License: see LICENSE in the source root.

#include "commands.hpp"
#include "exit_codes.hpp"
#include "nearest.hpp"
#include "remote_events.hpp"
#include "tree_client.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <variant>
#include <vector>

namespace coppice::tool {

namespace {

using nlohmann::json;

// -- which tree --------------------------------------------------------------

std::vector<std::string> names_of(const std::vector<running_tree>& trees) {
  std::vector<std::string> result;
  for (const auto& tree : trees)
    result.push_back(tree.name);
  return result;
}

std::string listed(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names)
    result += (result.empty() ? "" : ", ") + name;
  return result;
}

/// The one that is meant, or what to tell the user.
std::variant<running_tree, std::string> find_tree(const tree_name& name) {
  const auto trees = running_trees();
  const auto names = names_of(trees);
  if (trees.empty())
    return "no tree runs here, as this user. Start one: coppice run FILE";
  if (!name && trees.size() > 1)
    return "several trees run: " + listed(names) + ". Say which: --name "
           + names.front();
  if (!name)
    return trees.front();
  for (const auto& tree : trees)
    if (tree.name == *name)
      return tree;
  return "no tree of the name '" + *name + "' runs; there is: " + listed(names);
}

int complain(const std::string& what, int status) {
  std::fprintf(stderr, "coppice: %s\n", what.c_str());
  return status;
}

/// What the tree said instead of doing it.
std::string problem_text(const http_answer& answer) {
  const auto problem = json::parse(answer.body, nullptr, false);
  if (!problem.is_object())
    return "status " + std::to_string(answer.status);
  const auto detail = problem.value("detail", "");
  return detail.empty() ? problem.value("title", "no reason given") : detail;
}

int complain_about(const tree_client& client, const http_answer& answer) {
  const auto& tree = client.tree();
  if (answer.status == 0)
    return complain(tree.name + " (process " + std::to_string(tree.pid)
                      + ") does not answer at " + tree.url + ": " + answer.body,
                    exit_codes::no_tree);
  if (answer.status == 401 || answer.status == 403)
    return complain(tree.name + " refuses: " + problem_text(answer),
                    exit_codes::refused);
  return complain(problem_text(answer), exit_codes::findings);
}

/// Calls `f(client)` with the tree that is meant.
template <class F>
int with_tree(const tree_name& name, F f) {
  auto found = find_tree(name);
  if (const auto* why = std::get_if<std::string>(&found))
    return complain(*why, exit_codes::no_tree);
  return f(tree_client{std::get<running_tree>(std::move(found))});
}

// -- tree --------------------------------------------------------------------

void collect_paths(const json& node, std::vector<std::string>& paths) {
  paths.push_back(node.value("path", ""));
  if (const auto children = node.find("children"); children != node.end())
    for (const auto& child : *children)
      collect_paths(child, paths);
}

std::vector<std::string> paths_in(const tree_client& client) {
  const auto answer = client.get("/api/tree");
  const auto snapshot = json::parse(answer.body, nullptr, false);
  std::vector<std::string> result;
  if (answer.is_good() && snapshot.is_object() && snapshot.contains("root"))
    collect_paths(snapshot["root"], result);
  return result;
}

std::string query_of(tree_format format) {
  switch (format) {
    case tree_format::json:
      return "/api/tree";
    case tree_format::dot:
      return "/api/tree?format=dot";
    default:
      return "/api/tree?format=text";
  }
}

int show(const tree_client& client, tree_format format) {
  if (format == tree_format::paths) {
    for (const auto& path : paths_in(client))
      std::puts(path.c_str());
    return exit_codes::clean;
  }
  const auto answer = client.get(query_of(format));
  if (!answer.is_good())
    return complain_about(client, answer);
  std::fputs(answer.body.c_str(), stdout);
  if (!answer.body.ends_with('\n'))
    std::putchar('\n');
  return exit_codes::clean;
}

} // namespace

int execute(const tree_request& x) {
  return with_tree(x.name, [&](const tree_client& client) {
    const auto is_terminal = isatty(STDOUT_FILENO) != 0;
    for (;;) {
      if (x.watch && is_terminal)
        std::fputs("\033[H\033[2J", stdout);
      const auto status = show(client, x.format);
      std::fflush(stdout);
      if (!x.watch || status != exit_codes::clean)
        return status;
      std::this_thread::sleep_for(std::chrono::seconds{1});
    }
  });
}

// -- ctl and reload ----------------------------------------------------------

namespace {

std::string done_text(const ctl_request& x, const std::string& tree) {
  if (x.action == "shutdown")
    return tree + " stops";
  if (x.action == "stop")
    return x.path + " is stopped; `coppice ctl start` brings it back";
  if (x.action == "hold")
    return x.path + " is held: " + x.reason;
  if (x.action == "start")
    return x.path + " is started";
  if (x.action == "restart")
    return x.path + " is restarted";
  return x.path + " is tried again now";
}

std::string reload_text(const std::string& body) {
  const auto report = json::parse(body, nullptr, false);
  if (!report.is_object())
    return "reloaded\n";
  auto text = "reloaded; the spec has version "
              + std::to_string(report.value("version", 0)) + '\n';
  for (const auto& x : report.value("changes", json::array())) {
    const auto field = x.value("field", "");
    text += x.value("path", "") + ": "
            + (field.empty() ? x.value("kind", "")
                             : field + ": " + x.value("before", "") + " -> "
                                 + x.value("after", ""))
            + '\n';
  }
  return text;
}

} // namespace

int execute(const ctl_request& x) {
  return with_tree(x.name, [&](const tree_client& client) {
    const auto answer = x.action == "shutdown"
                          ? client.post("/api/stop", "{}")
                          : client.post("/api/ctl", json{{"action", x.action},
                                                         {"path", x.path},
                                                         {"reason", x.reason}}
                                                      .dump());
    if (answer.status == 404 && x.action != "shutdown")
      return complain("there is no child '" + x.path + '\''
                        + did_you_mean(x.path, paths_in(client))
                        + "\nSee `coppice tree --paths`.",
                      exit_codes::usage);
    if (!answer.is_good())
      return complain_about(client, answer);
    std::puts(done_text(x, client.tree().name).c_str());
    return exit_codes::clean;
  });
}

int execute(const reload_request& x) {
  return with_tree(x.name, [&](const tree_client& client) {
    const auto answer = client.post("/api/reload", "{}");
    if (answer.status == 422)
      return complain(problem_text(answer) + "\nNothing was changed.",
                      exit_codes::bad_file);
    if (!answer.is_good())
      return complain_about(client, answer);
    std::fputs(reload_text(answer.body).c_str(), stdout);
    return exit_codes::clean;
  });
}

// -- events and list ---------------------------------------------------------

int execute(const events_request& x) {
  return with_tree(x.name, [&](const tree_client& client) {
    const auto answer = print_events(client, x);
    return answer.is_good() ? exit_codes::clean
                            : complain_about(client, answer);
  });
}

int execute(const list_request& x) {
  const auto trees = running_trees();
  for (const auto& tree : trees)
    if (x.names_only)
      std::puts(tree.name.c_str());
    else
      std::printf("%-16s process %-8d %s\n", tree.name.c_str(), tree.pid,
                  tree.url.c_str());
  if (trees.empty() && !x.names_only)
    std::puts("No tree runs here, as this user. Start one: coppice run FILE");
  return exit_codes::clean;
}

} // namespace coppice::tool

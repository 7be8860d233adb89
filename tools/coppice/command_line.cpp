// This file is part of coppice. License: see LICENSE in the source root.

#include "command_line.hpp"

#include "argument_values.hpp"
#include "completion.hpp"
#include "exit_codes.hpp"
#include "nearest.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <utility>

namespace coppice::tool {

namespace {

#ifndef COPPICE_VERSION
#  define COPPICE_VERSION "unknown"
#endif

// -- values ------------------------------------------------------------------

CLI::Validator rule(bool (*is_fine)(const std::string&), const char* expected) {
  return {[=](std::string& text) {
            return is_fine(text) ? std::string{}
                                 : '\'' + text + "' is not " + expected;
          },
          {}};
}

// -- the subcommands ---------------------------------------------------------

/// What the options write to; one of the requests comes out in the end.
struct everything {
  run_request run;
  std::string observe;
  bool no_observe = false;
  std::string token;
  std::string token_file;
  std::string lasts;
  check_request check;
  tree_request tree;
  bool tree_json = false;
  bool tree_dot = false;
  bool tree_paths = false;
  ctl_request ctl;
  reload_request reload;
  events_request events;
  list_request list;
  std::string kind;
  kinds_request kinds;
  std::string shell;
  std::string name;
};

void declare_run(CLI::App& app, everything& x) {
  auto& run = *app.add_subcommand("run", "Run a topology until it is stopped");
  run.add_option("FILE", x.run.file, "The topology; see `coppice reference`")
    ->required()
    ->type_name("FILE");
  run
    .add_flag("--observe{127.0.0.1:0}", x.observe,
              "Where the page and the API listen: --observe=ADDRESS:PORT; port "
              "0 is any free one. Default: 127.0.0.1:0")
    ->check(rule(
      [](const std::string& text) { return address_from(text).has_value(); },
      "an address and a port, such as 127.0.0.1:8080"));
  run.add_flag(
    "--no-observe", x.no_observe,
    "No page and no API: `tree`, `ctl` and the like cannot reach it");
  run
    .add_option("--token", x.token,
                "What changes to the tree have to come with. Others see it in "
                "the list of processes; better say it by the variable, or "
                "--token-file. Default: a random one")
    ->envname("COPPICE_TOKEN")
    ->type_name("TEXT");
  run.add_option("--token-file", x.token_file, "Reads the token from there")
    ->type_name("FILE")
    ->excludes("--token");
  run.add_option("--for", x.lasts, "Stops in order after this long")
    ->check(rule(
      [](const std::string& text) { return duration_from(text).has_value(); },
      "a length of time, such as 500ms, 10s, 2min or 1h"))
    ->type_name("DURATION");
  run.add_flag("--plain", x.run.plain,
               "Lines only, no status that is drawn again; the default where "
               "the output is no terminal");
  run.add_flag("--verbose", x.run.verbose,
               "All events, those of a healthy start included");
  run.footer(
    "Examples:\n"
    "  coppice run app.conf                 runs it, and shows how it does\n"
    "  coppice run app.conf --for 10s       the same, for ten seconds\n"
    "  coppice run app.conf --observe=127.0.0.1:8080\n\n"
    "Ctrl-C or SIGTERM stops it in order; a second one kills what is left, a\n"
    "third one leaves at once. SIGHUP, or `coppice reload`, reads FILE again.\n"
    "Status: 0 clean end, 1 lives left behind, 65 bad file, 70 the tree gave\n"
    "up, or as `options.exit_code` in FILE says.");
}

void declare_check(CLI::App& app, everything& x) {
  auto& check = *app.add_subcommand(
    "check", "Say what is wrong or doubtful with a topology, without running");
  check.add_option("FILE", x.check.file, "The topology")
    ->required()
    ->type_name("FILE");
  check.add_flag("--json", x.check.json, "For programs");
  check.add_flag("--strict", x.check.strict, "Status 1 for mere notes, too");
  check.footer(
    "Examples:\n"
    "  coppice check app.conf\n"
    "  coppice check app.conf --strict --json | jq .findings\n\n"
    "Says how often each worker may be restarted at worst, how long a stop "
    "may\n"
    "take, and what in the file does not do what it seems to.\n"
    "Status: 0 all is well, 1 warnings or worse, 65 the file is no topology.");
}

void add_name(CLI::App& app, everything& x) {
  app
    .add_option("--name", x.name,
                "Of the tree; needed where several run: see `coppice list`")
    ->type_name("NAME");
}

void declare_tree(CLI::App& app, everything& x) {
  auto& tree = *app.add_subcommand("tree", "Show a running tree");
  add_name(tree, x);
  auto* json = tree.add_flag("--json", x.tree_json, "For programs");
  auto* dot = tree.add_flag("--dot", x.tree_dot, "For Graphviz");
  auto* paths = tree.add_flag("--paths", x.tree_paths,
                              "Only paths, one a line");
  json->excludes(dot)->excludes(paths);
  dot->excludes(paths);
  tree.add_flag("--watch", x.tree.watch, "Again each second, until Ctrl-C")
    ->excludes(json)
    ->excludes(dot);
  tree.footer("Examples:\n"
              "  coppice tree --watch\n"
              "  coppice tree --dot | dot -Tsvg > tree.svg\n"
              "  coppice tree --json | jq '.root.children[] | .state'");
}

void declare_ctl(CLI::App& app, everything& x) {
  auto& ctl = *app.add_subcommand("ctl", "Tell a running tree what to do");
  ctl.require_subcommand(1);
  const auto add = [&](const char* name, const char* what, bool has_path) {
    auto& sub = *ctl.add_subcommand(name, what);
    if (has_path)
      sub.add_option("PATH", x.ctl.path, "Of the child, such as /app/db")
        ->required()
        ->type_name("PATH");
    add_name(sub, x);
    return &sub;
  };
  add("stop", "Stop a child; it stays so", true);
  add("start", "Start a child that is stopped", true);
  add("restart", "Stop a child and start it again", true);
  add("retry", "Do not wait for the end of a backoff", true);
  add("hold", "Stop a child, and say why to whoever finds it stopped", true)
    ->add_option("--reason", x.ctl.reason, "Shown until it is started again")
    ->required()
    ->type_name("TEXT");
  add("shutdown", "Stop the whole tree in order, and the program with it",
      false);
  ctl.footer("Examples:\n"
             "  coppice ctl restart /app/db\n"
             "  coppice ctl hold /app/db --reason \"disk is being replaced\"\n"
             "  coppice ctl retry /app/feed\n\n"
             "What an operator stopped is not started by any restart of its\n"
             "group. Paths: `coppice tree --paths`.");
}

void declare_reload(CLI::App& app, everything& x) {
  auto& reload = *app.add_subcommand("reload",
                                     "Have a running tree read its file again");
  add_name(reload, x);
  reload.footer("As a whole or not at all: what is wrong with the file is "
                "printed, and\nnothing changes. Lives that run are kept.\n\n"
                "Example:\n  coppice check app.conf && coppice reload");
}

void declare_events(CLI::App& app, everything& x) {
  auto& events = *app.add_subcommand("events",
                                     "Print what happened in a running tree");
  add_name(events, x);
  events.add_flag("--follow", x.events.follow, "And what happens from now on");
  events.add_flag("--json", x.events.json, "One object a line");
  events.add_option("--after", x.events.after, "Only those after this number")
    ->type_name("N")
    ->check(CLI::Validator{CLI::NonNegativeNumber}.description(""));
  events.footer("Examples:\n"
                "  coppice events --follow\n"
                "  coppice events --json --follow | jq -c "
                "'select(.kind == \"failed\")'");
}

void declare_rest(CLI::App& app, everything& x) {
  app.add_subcommand("list", "List the trees that run")
    ->add_flag("--names", x.list.names_only, "Only names, one a line");
  auto& kinds = *app.add_subcommand(
    "kinds", "List the kinds of workers that topologies may use");
  kinds.add_option("KIND", x.kind, "Show its arguments")->type_name("KIND");
  kinds.add_flag("--names", x.kinds.names_only, "Only names, one a line");
  kinds.footer("Example:\n  coppice kinds crasher");
  app.add_subcommand("reference",
                     "Print all that a topology may say, as Markdown");
  auto& completion = *app.add_subcommand(
    "completion", "Print a script that completes in your shell");
  completion.add_option("SHELL", x.shell, "bash, zsh or fish")
    ->required()
    ->type_name("bash|zsh|fish")
    ->check(CLI::IsMember{{"bash", "zsh", "fish"}}.description(""));
  completion.footer(
    "Examples:\n"
    "  source <(coppice completion bash)\n"
    "  coppice completion fish > ~/.config/fish/completions/coppice.fish");
}

void declare(CLI::App& app, everything& x) {
  app.set_version_flag("--version", "coppice " COPPICE_VERSION);
  app.require_subcommand(1);
  declare_run(app, x);
  declare_check(app, x);
  declare_tree(app, x);
  declare_ctl(app, x);
  declare_reload(app, x);
  declare_events(app, x);
  declare_rest(app, x);
  app.footer("Begin with:\n"
             "  coppice kinds                        what there is to run\n"
             "  coppice check FILE && coppice run FILE\n"
             "and, in another terminal:\n"
             "  coppice tree --watch\n\n"
             "`coppice SUBCOMMAND --help` has examples.");
}

// -- completion --------------------------------------------------------------

std::string joined_lines(std::string text) {
  for (auto& c : text)
    if (c == '\n')
      c = ' ';
  return text;
}

option_model model_of(const CLI::Option& option) {
  option_model result;
  for (const auto& name : option.get_snames())
    result.names.push_back('-' + name);
  for (const auto& name : option.get_lnames())
    result.names.push_back("--" + name);
  result.description = joined_lines(option.get_description());
  result.takes_value = option.get_expected_min() > 0
                       && option.get_type_size() > 0;
  result.value.type = option.get_type_name();
  return result;
}

command_model model_of(const CLI::App& app) {
  command_model result;
  result.name = app.get_name();
  result.description = joined_lines(app.get_description());
  for (const auto* option : app.get_options()) {
    if (option->get_positional())
      result.positionals.push_back({option->get_type_name()});
    else
      result.options.push_back(model_of(*option));
  }
  for (const auto* sub :
       app.get_subcommands([](const CLI::App*) { return true; }))
    result.commands.push_back(model_of(*sub));
  return result;
}

std::string completion_for(const std::string& shell, const CLI::App& app) {
  const auto model = model_of(app);
  if (shell == "bash")
    return bash_completion(model);
  return shell == "zsh" ? zsh_completion(model) : fish_completion(model);
}

// -- from options to requests ------------------------------------------------

/// The innermost subcommand that was given.
const CLI::App* chosen(const CLI::App& app) {
  const auto* at = &app;
  while (!at->get_subcommands().empty())
    at = at->get_subcommands().front();
  return at;
}

run_request run_from(const everything& x) {
  auto result = x.run;
  result.observe_was_said = !x.observe.empty();
  if (x.no_observe && result.observe_was_said)
    throw CLI::ValidationError{"--no-observe",
                               "say either --observe or --no-observe"};
  if (x.no_observe)
    result.observe.reset();
  else if (result.observe_was_said)
    result.observe = address_from(x.observe);
  if (!x.token_file.empty())
    result.token = token_from(x.token_file);
  else if (!x.token.empty())
    result.token = x.token;
  if (!x.lasts.empty())
    result.lasts = duration_from(x.lasts);
  return result;
}

tree_request tree_from(const everything& x) {
  auto result = x.tree;
  result.format = x.tree_json    ? tree_format::json
                  : x.tree_dot   ? tree_format::dot
                  : x.tree_paths ? tree_format::paths
                                 : tree_format::text;
  return result;
}

request request_from(everything x, const CLI::App& app) {
  const auto outer = app.get_subcommands().front()->get_name();
  const auto name = x.name.empty() ? tree_name{} : tree_name{x.name};
  x.tree.name = x.ctl.name = x.reload.name = x.events.name = name;
  x.ctl.action = chosen(app)->get_name();
  if (!x.kind.empty())
    x.kinds.name = x.kind;
  if (outer == "run")
    return run_from(x);
  if (outer == "check")
    return x.check;
  if (outer == "tree")
    return tree_from(x);
  if (outer == "ctl")
    return x.ctl;
  if (outer == "reload")
    return x.reload;
  if (outer == "events")
    return x.events;
  if (outer == "list")
    return x.list;
  if (outer == "kinds")
    return x.kinds;
  if (outer == "reference")
    return reference_request{};
  return completion_request{completion_for(x.shell, app)};
}

/// One sentence, and what to do next.
int complain(const CLI::App& app, const CLI::ParseError& e) {
  const auto* at = chosen(app);
  std::string line = e.what();
  const auto extras = at->remaining(true);
  if (!extras.empty() || (at == &app && e.get_name() == "ExtrasError")) {
    std::vector<std::string> names;
    for (const auto* sub :
         at->get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(sub->get_name());
    for (const auto* option : at->get_options())
      for (const auto& name : option->get_lnames())
        names.push_back("--" + name);
    const auto said = extras.empty() ? std::string{} : extras.front();
    line = '\'' + said + "' is not known here" + did_you_mean(said, names);
  }
  const auto help = at == &app ? std::string{"coppice --help"}
                    : at->get_parent() == &app
                      ? "coppice " + at->get_name() + " --help"
                      : "coppice " + at->get_parent()->get_name() + ' '
                          + at->get_name() + " --help";
  std::fprintf(stderr, "coppice: %s\nSee `%s`.\n", line.c_str(), help.c_str());
  return exit_codes::usage;
}

} // namespace

std::variant<request, int> parse_command_line(int argc, char** argv) {
  CLI::App app{"Runs, checks and steers trees of supervised workers.",
               "coppice"};
  everything x;
  declare(app, x);
  try {
    app.parse(argc, argv);
    return request_from(std::move(x), app);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0)
      return app.exit(e);
    return complain(app, e);
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "coppice: %s\n", e.what());
    return exit_codes::usage;
  }
}

} // namespace coppice::tool

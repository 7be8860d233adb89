// This file is part of coppice. License: see LICENSE in the source root.

#include "run_reload.hpp"

#include "topology_report.hpp"

#include <utility>
#include <vector>

namespace coppice::tool {

namespace {

/// A worker, before and after.
struct worker_change {
  std::string path;
  std::string before;
  std::string after;
};

std::vector<worker_change>
changes_of_workers(const std::map<std::string, std::string>& before,
                   const std::map<std::string, std::string>& after) {
  std::vector<worker_change> result;
  for (const auto& [path, text] : after)
    if (const auto i = before.find(path);
        i != before.end() && i->second != text)
      result.push_back({path, i->second, text});
  return result;
}

/// The front of a pool is shared by its workers, those that run included.
std::string refusal_of_pools(const std::vector<worker_change>& changes) {
  std::string text;
  for (const auto& x : changes)
    if (x.before.starts_with("pool(") || x.after.starts_with("pool("))
      text += x.path
              + ": the arguments of a pool cannot change while it runs; "
                "found "
              + x.after + ", expected " + x.before + '\n';
  return text;
}

bool same_settings(const supervise_options& x, const supervise_options& y) {
  return x.scan_interval == y.scan_interval
         && x.abandoned_max == y.abandoned_max && x.seed == y.seed
         && x.on_root_end == y.on_root_end && x.exit_code == y.exit_code
         && x.start_within == y.start_within && x.stop_within == y.stop_within
         && x.root_isolation == y.root_isolation;
}

std::string text_of(const reload_report& report,
                    const std::vector<worker_change>& workers,
                    bool has_same_settings) {
  auto text = "reloaded; the spec has version "
              + std::to_string(report.version);
  for (const auto& change : report.changes)
    text += '\n' + to_string(change);
  for (const auto& x : workers)
    text += '\n' + x.path + ": from its next life on: " + x.before + " -> "
            + x.after;
  if (report.changes.empty() && workers.empty())
    text += "; nothing differs";
  if (!has_same_settings)
    text += "\nThe options of the file count from the next run on.";
  return text;
}

reload_answer refused(const char* failure_class, std::string text) {
  return {failure{.failure_class = failure_class,
                  .code = errc::invalid_spec,
                  .message = text},
          text};
}

} // namespace

reload_answer reload_topology(applied_file& now, const worker_kinds& kinds,
                              supervision_tree& tree) {
  auto loaded = load_topology(now.name, kinds);
  if (!loaded)
    return refused("invalid_spec", to_string(loaded.defects()) + '\n'
                                     + headline(now.name, loaded.defects()));
  const auto workers = changes_of_workers(now.descriptions,
                                          loaded->descriptions);
  if (auto refusal = refusal_of_pools(workers); !refusal.empty()) {
    refusal.pop_back();
    return refused("reload_refused", std::move(refusal));
  }
  auto report = tree.reload(std::move(loaded->root));
  if (!report && report.error().code == errc::request_timeout)
    now.descriptions = std::move(loaded->descriptions); // it goes on
  if (!report)
    return {report.error(), to_string(report.error())};
  now.descriptions = std::move(loaded->descriptions);
  auto text = text_of(*report, workers,
                      same_settings(now.options, loaded->options));
  return {std::move(report), std::move(text)};
}

} // namespace coppice::tool

// This file is part of coppice. License: see LICENSE in the source root.

#include "progress.hpp"

#include "coppice/policy/spec_section.hpp"
#include "coppice/tree_snapshot_text.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <vector>

namespace coppice::tool {

namespace {

/// For people, so in their own time.
std::string clock_text(wall_time when) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(when);
  const auto ms
    = std::chrono::duration_cast<std::chrono::milliseconds>(when - seconds);
  const auto t = std::chrono::system_clock::to_time_t(seconds);
  std::tm local{};
  localtime_r(&t, &local);
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", local.tm_hour,
                local.tm_min, local.tm_sec, static_cast<int>(ms.count()));
  return text;
}

const char* colour_of(event_kind x) {
  switch (x) {
    case event_kind::failed:
    case event_kind::stalled:
    case event_kind::abandoned:
    case event_kind::gave_up:
    case event_kind::budget_spent:
    case event_kind::pool_stuck:
      return "31"; // red
    case event_kind::restarting:
    case event_kind::backing_off:
    case event_kind::beat_late:
    case event_kind::paused:
      return "33"; // yellow
    case event_kind::ready:
    case event_kind::resumed:
    case event_kind::abandoned_ended:
      return "32"; // green
    default:
      return "0";
  }
}

} // namespace

std::string event_line(const supervision_event& event, bool has_colours) {
  auto x = event;
  // What follows from a failure has it as well: once is enough.
  if (x.kind != event_kind::failed && x.kind != event_kind::gave_up)
    x.because = nullptr;
  return '[' + clock_text(x.when) + "] "
         + coloured(to_string(x), colour_of(x.kind), has_colours);
}

bool progress::is_news(const supervision_event& x) const {
  if (verbose_)
    return true;
  const auto phase = phase_.load();
  switch (x.kind) {
    case event_kind::started:
      return false; // "ready" follows, or worse
    case event_kind::ready:
      return phase == run_phase::running && x.when > since_.load();
    case event_kind::stopped:
    case event_kind::forgotten:
      return phase != run_phase::stopping;
    case event_kind::late_news:
      return false;
    default:
      return true;
  }
}

void progress::on_event(const supervision_event& x) {
  if (const auto i = static_cast<std::size_t>(x.kind); i < counts_.size())
    ++counts_[i];
  if (is_news(x))
    out_.print(event_line(x, out_.has_colours()));
}

void progress::on_word(const std::string& path, const std::string& line) {
  out_.print('[' + clock_text(wall_now()) + "] " + path + ": " + line);
}

std::uint64_t progress::count(event_kind x) const {
  return counts_[static_cast<std::size_t>(x)];
}

std::string progress::summary() const {
  const auto of = [this](event_kind x, const char* one, const char* many) {
    const auto n = count(x);
    return std::to_string(n) + ' ' + (n == 1 ? one : many);
  };
  return of(event_kind::failed, "failure", "failures") + ", "
         + of(event_kind::stalled, "stall", "stalls") + ", "
         + of(event_kind::restarting, "restart", "restarts") + ", "
         + of(event_kind::abandoned, "life abandoned", "lives abandoned");
}

// -- status ------------------------------------------------------------------

namespace {

struct figures {
  std::map<node_state, std::size_t> states;
  std::size_t workers = 0;
  std::size_t nodes = 0;
  /// Not running, or late with its beat.
  std::vector<const tree_node*> troubled;
};

bool is_troubled(const tree_node& x) {
  constexpr auto warning = 2.0 / 3.0;
  return (x.state != node_state::running && x.state != node_state::starting)
         || x.abandoned > 0
         || (x.heartbeat && x.heartbeat->suspicion >= warning);
}

void add(figures& to, const tree_node& x) {
  ++to.nodes;
  if (x.kind == child_kind::worker) {
    ++to.workers;
    ++to.states[x.state];
  }
  if (is_troubled(x))
    to.troubled.push_back(&x);
  for (const auto& child : x.children)
    add(to, child);
}

std::string trouble_line(const tree_node& x, bool has_colours) {
  auto line = "  " + x.path + '#' + std::to_string(x.incarnation) + ' '
              + coloured(to_string(x.state), "33", has_colours);
  if (!x.hold_reason.empty())
    line += " (held: " + policy::printable(x.hold_reason) + ')';
  if (x.abandoned > 0)
    line += ", " + std::to_string(x.abandoned) + " lives abandoned";
  if (x.last_failure != nullptr)
    line += ": " + to_string(*x.last_failure);
  return line + '\n';
}

std::string figures_text(const figures& x) {
  auto line = std::to_string(x.workers) + " workers";
  for (const auto& [state, count] : x.states)
    line += (state == x.states.begin()->first ? ": " : ", ")
            + std::to_string(count) + ' ' + to_string(state);
  return line + '\n';
}

} // namespace

std::string status_text(const tree_snapshot& x, const std::string& headline,
                        std::size_t rows, bool has_colours) {
  figures all;
  add(all, x.root);
  constexpr std::size_t frame = 4; // headline, figures, and room to breathe
  const auto room = rows > frame + 2 ? rows - frame : std::size_t{2};
  auto text = headline + '\n' + figures_text(all);
  if (all.nodes + x.abandoned.size() + 1 <= room)
    return text + to_text(x, {.colours = has_colours});
  const auto shown = std::min(room - 1, all.troubled.size());
  for (std::size_t i = 0; i < shown; ++i)
    text += trouble_line(*all.troubled[i], has_colours);
  if (shown < all.troubled.size())
    text += "  and " + std::to_string(all.troubled.size() - shown)
            + " more; see `coppice tree`\n";
  return text;
}

} // namespace coppice::tool

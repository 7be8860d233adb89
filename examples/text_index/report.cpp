// This file is part of coppice. License: see LICENSE in the source root.

#include "report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>

namespace text_index {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

double seconds(steady_clock::duration x) {
  return std::chrono::duration<double>(x).count();
}

void row(const char* name, std::uint64_t value, const std::string& note = {}) {
  std::printf("  %-18s %10" PRIu64 "  %s\n", name, value, note.c_str());
}

std::string
listed(const std::vector<std::pair<const char*, std::uint64_t>>& xs) {
  std::string result;
  for (const auto& [name, count] : xs)
    if (count > 0)
      result += (result.empty() ? "" : ", ") + std::to_string(count) + ' '
                + name;
  return result;
}

void print_files(const service& of, const store_progress& files) {
  row("files", of.files.files.size(),
      listed({{"text", files.files_text},
              {"binary", files.files_binary},
              {"unreadable", files.files_unreadable},
              {"set aside", files.files_set_aside}}));
  row("words", files.words);
  row("leases", files.leases,
      std::to_string(files.late_results) + " results came too late");
  for (const auto& directory : of.files.skipped)
    std::printf("  not listed: %s\n", directory.c_str());
}

void print_faults(const run_tally& tally) {
  std::uint64_t sum = tally.injected_into_service;
  std::vector<std::pair<const char*, std::uint64_t>> kinds;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    sum += tally.injected[i];
    kinds.emplace_back(i < fault_names.size() ? fault_names[i].data()
                                              : "poison",
                       tally.injected[i]);
  }
  kinds.emplace_back("service", tally.injected_into_service);
  row("faults injected", sum, listed(kinds));
}

void print_supervision(const run_tally& tally) {
  row("crashes", tally.crashes);
  row("stalls", tally.stalls,
      "the watchdog was late " + std::to_string(tally.watcher_late)
        + " times, by at most "
        + coppice::policy::in_words(tally.watcher_latest));
  row("restarts", tally.restarts(),
      listed({{"after crash", tally.restarts_after_crash},
              {"after stall", tally.restarts_after_stall},
              {"otherwise", tally.restarts_otherwise}}));
  row("abandoned", tally.abandoned,
      std::to_string(tally.abandoned_ended) + " of them ended after all");
}

void print_set_aside(const service& of) {
  for (const auto file : of.store.set_aside())
    std::printf("  set aside: %s%s\n", of.files.files[file].c_str(),
                of.faults.is_poison(file) ? "" : " (unlucky, not poison)");
}

/// A path, with all of its lives that hold a thread.
void print_left(const std::vector<coppice::left_behind>& left) {
  std::map<std::string, std::string> lives;
  for (const auto& x : left)
    lives[x.path] += ' ' + std::to_string(x.incarnation);
  for (const auto& [path, numbers] : lives)
    std::printf("  left behind: %s, lives%s\n", path.c_str(), numbers.c_str());
}

} // namespace

// -- progress ----------------------------------------------------------------

progress_line::progress_line(const service& of)
  : service_(of), on_terminal_(isatty(STDOUT_FILENO) != 0) {}

void progress_line::show() {
  const auto now = steady_clock::now();
  if (now < next_)
    return;
  next_ = now + (on_terminal_ ? steady_clock::duration{100ms} : 2s);
  print();
}

void progress_line::finish() {
  print();
  if (on_terminal_)
    std::putchar('\n');
}

void progress_line::print() const {
  const auto files = service_.store.progress();
  const auto tally = service_.statistics.read();
  std::printf("%sfiles %" PRIu64 "/%zu  words %" PRIu64 "  crashes %" PRIu64
              "  stalls %" PRIu64 "  restarts %" PRIu64 "  abandoned %" PRIu64
              "%s",
              on_terminal_ ? "\r\033[K" : "", files.files_done(),
              service_.files.files.size(), files.words, tally.crashes,
              tally.stalls, tally.restarts(), tally.abandoned,
              on_terminal_ ? "" : "\n");
  std::fflush(stdout);
}

// -- the end -----------------------------------------------------------------

namespace {

const char* headline(const run_result& run, bool has_all) {
  if (run.was_interrupted)
    return "interrupted; so far:";
  return has_all ? "all files are done:" : "the tree gave up; so far:";
}

} // namespace

void print_table(const service& of, const run_result& run) {
  const auto files = of.store.progress();
  const auto tally = of.statistics.read();
  std::printf("\n%s\n",
              headline(run, files.files_done() == of.files.files.size()));
  print_files(of, files);
  print_faults(tally);
  print_supervision(tally);
  std::printf("  %-18s %9.2fs  stopped %s in %.2fs\n", "time",
              seconds(run.took),
              run.stop.complete ? "in order" : "NOT in order",
              seconds(run.stop_took));
  print_set_aside(of);
  print_left(run.stop.left);
  std::fflush(stdout);
}

bool check_index(const service& of) {
  const auto start = steady_clock::now();
  const auto set_aside = of.store.set_aside();
  word_index expected;
  for (file_number i = 0; i < of.files.files.size(); ++i)
    if (!std::binary_search(set_aside.begin(), set_aside.end(), i))
      expected.add(scan_file(of.files.files[i], [] { return true; })->words);
  const auto is_equal = of.store.index() == expected;
  std::printf("index %s to that of a single thread: %zu words, %.2fs\n",
              is_equal ? "equal" : "NOT EQUAL", expected.entries().size(),
              seconds(steady_clock::now() - start));
  return is_equal;
}

} // namespace text_index

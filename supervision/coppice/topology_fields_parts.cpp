// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_members.hpp"

namespace coppice {

namespace {

template <class Section>
section_doc doc_of() {
  const auto& table = table_of<Section>();
  section_doc doc{table.name, table.meaning, {}};
  for (const auto& x : table.fields)
    doc.fields.push_back(x.doc);
  return doc;
}

} // namespace

template <>
const section_table<restart_limits>& table_of() {
  using s = restart_limits;
  static const section_table<s> table{
    "limits",
    "In a supervisor: how many restarts of its children are too many. In a "
    "child: how many of its own.",
    {
      member<s, &s::restarts_max>("restarts_max",
                                  "0 to 1000000000, or \"infinity\"",
                                  "Most restarts within `window`. 0: the first "
                                  "failure is one too many."),
      member<s, &s::window>("window", ranges::positive_or_infinite,
                            "How long a restart counts."),
    }};
  return table;
}

template <>
const section_table<cause_weights>& table_of() {
  using s = cause_weights;
  constexpr auto range = "0 to 1000";
  static const section_table<s> table{
    "weights",
    "In a supervisor: how many restarts a restart counts for, by its cause.",
    {
      member<s, &s::crash>("crash", range, "The child failed."),
      member<s, &s::stall>("stall", range, "It fell silent."),
      member<s, &s::start_failure>("start_failure", range,
                                   "It could not be started."),
      member<s, &s::node_loss>("node_loss", range, "Its machine was lost."),
      member<s, &s::clean_end>("clean_end", range,
                               "A permanent child ended without failing."),
    }};
  return table;
}

template <>
const section_table<backoff_spec>& table_of() {
  using s = backoff_spec;
  static const section_table<s> table{
    "backoff",
    "In a child: how long to wait before an attempt to restart it. The n-th "
    "failure in a row waits `first` times `factor` to the power of n - 1, at "
    "most `cap`.",
    {
      member<s, &s::first>("first", "0s to `cap`",
                           "The first delay. 0s: retries are immediate."),
      member<s, &s::cap>("cap", "`first` to 8760h",
                         "The longest delay, with the jitter included."),
      member<s, &s::factor>("factor", "1 to 1000",
                            "How much longer each delay is than the one "
                            "before."),
      member<s, &s::jitter>(
        "jitter", ranges::any,
        "How a delay d is blurred: not at all; from 0 to d; from d/2 to d; or "
        "from d to d * (1 + `jitter_ratio`)."),
      member<s, &s::jitter_ratio>("jitter_ratio", "0 to 1",
                                  "Of `proportional` jitter."),
      member<s, &s::reset_after>(
        "reset_after", ranges::not_negative_or_infinite,
        "After a run of this length counting begins again. \"infinity\": only "
        "when the child itself says that it is healthy."),
    }};
  return table;
}

template <>
const section_table<heartbeat_spec>& table_of() {
  using s = heartbeat_spec;
  static const section_table<s> table{
    "heartbeat",
    "In a child: when silence is a failure.",
    {
      member<s, &s::stall_timeout>("stall_timeout",
                                   ranges::positive_or_infinite,
                                   "Longest silence with work in hand. At "
                                   "least `scan_interval`."),
      member<s, &s::idle_timeout>(
        "idle_timeout", ranges::positive_or_infinite,
        "Longest silence without work, for children that promise to beat at "
        "intervals. At least `scan_interval`."),
      member<s, &s::extension_max>("extension_max", ranges::not_negative,
                                   "Most extra time that it gets by asking, "
                                   "between two beats."),
      member<s, &s::probe_every>(
        "probe_every", ranges::positive_or_infinite,
        "How often it gets a probe through its mailbox while idle."),
      member<s, &s::detector>("detector", ranges::any,
                              "How silence turns into suspicion."),
      member<s, &s::phi>("phi", ranges::any, "Of `phi_accrual`."),
    }};
  return table;
}

template <>
const section_table<policy::phi_spec>& table_of() {
  using s = policy::phi_spec;
  static const section_table<s> table{
    "phi",
    "In `heartbeat`: the phi accrual detector, which learns how regular the "
    "beats are.",
    {
      member<s, &s::threshold>("threshold", "above 0, at most 100",
                               "The suspicion that is a failure."),
      member<s, &s::samples_max>("samples_max", "2 to 10000",
                                 "Intervals remembered."),
      member<s, &s::deviation_min>("deviation_min", ranges::positive,
                                   "Floor of the standard deviation."),
      member<s, &s::acceptable_pause>("acceptable_pause", ranges::not_negative,
                                      "A pause that is no reason to worry."),
      member<s, &s::first_estimate>(
        "first_estimate",
        "above 0s; below `stall_timeout` where `detector` is \"phi_accrual\"",
        "Assumed interval before the first was seen."),
    }};
  return table;
}

template <>
const section_table<parking_spec>& table_of() {
  using s = parking_spec;
  static const section_table<s> table{
    "parking",
    "In a child: what becomes of messages that are sent to it between two "
    "lives.",
    {
      member<s, &s::messages_max>("messages_max", "0 to 1000000",
                                  "Messages kept. 0: senders hear of it at "
                                  "once."),
      member<s, &s::overflow>("overflow", ranges::any,
                              "Which one goes when there are too many."),
    }};
  return table;
}

template <>
const section_table<failure_rule>& table_of() {
  using s = failure_rule;
  static const section_table<s> table{
    "on_failure",
    "An element of `on_failure` in a child. One for a class.",
    {
      member<s, &s::failure_class>("failure_class", "not empty",
                                   "Which failures.", "none: has to be given"),
      member<s, &s::action>("action", ranges::any, "What to do about them.",
                            "none: has to be given"),
    }};
  return table;
}

std::vector<section_doc> all_sections() {
  return {doc_of<supervise_options>(), doc_of<supervisor_spec>(),
          doc_of<child_spec>(),        doc_of<restart_limits>(),
          doc_of<cause_weights>(),     doc_of<backoff_spec>(),
          doc_of<heartbeat_spec>(),    doc_of<policy::phi_spec>(),
          doc_of<failure_rule>(),      doc_of<parking_spec>()};
}

} // namespace coppice

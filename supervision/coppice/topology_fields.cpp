// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_fields.hpp"

#include "coppice/topology_members.hpp"

namespace coppice {

template <>
const section_table<supervise_options>& table_of() {
  using s = supervise_options;
  static const section_table<s> table{
    "options",
    "At the top of the file, beside the root supervisor; may be left out. "
    "Settings of the whole tree.",
    {
      member<s, &s::scan_interval>(
        "scan_interval", "1ms to 1h",
        "How often heartbeats are looked at. A stall is noticed at most this "
        "much after its timeout, so timeouts below it are refused."),
      member<s, &s::abandoned_max>(
        "abandoned_max", ranges::any,
        "Lives that would not end, at a time; one more, and the root gives "
        "up."),
      member<s, &s::seed>("seed", "0 to 2^64 - 1",
                          "Of all jitter. Same seed, same delays."),
      member<s, &s::on_root_end>("on_root_end", ranges::any,
                                 "What happens when the root gives up."),
      member<s, &s::exit_code>("exit_code", "0 to 255",
                               "Of the process, where `on_root_end` is "
                               "`exit_process`."),
      member<s, &s::start_within>("start_within", ranges::positive_or_infinite,
                                  "The whole tree has to be ready by then."),
      member<s, &s::stop_within>(
        "stop_within", ranges::not_negative_or_infinite,
        "The whole tree has to have stopped by then; what is left is killed, "
        "or abandoned and named."),
      member<s, &s::root_isolation>(
        "root_isolation", ranges::any,
        "A thread of its own: the root then works even if stuck handlers hold "
        "all threads of the pool."),
    }};
  return table;
}

template <>
const section_table<supervisor_spec>& table_of() {
  using s = supervisor_spec;
  static const section_table<s> table{
    "supervisor",
    "The one section at the top of the file whose key is the name of the root; "
    "and, in a child, an inner supervisor.",
    {
      member<s, &s::strategy>("strategy", ranges::any,
                              "Who else is restarted when a child fails. "
                              "`simple_one_for_one` is a pool of instances of "
                              "one child."),
      member<s, &s::limits>("limits", ranges::any,
                            "How many restarts are too many."),
      member<s, &s::weights>("weights", ranges::any,
                             "What a restart costs, by its cause."),
      member<s, &s::on_exhausted>(
        "on_exhausted", ranges::any,
        "What happens when `limits` are exceeded: give up; leave the child "
        "stopped; keep trying at the longest delay; or pause all restarts for "
        "a while."),
      member<s, &s::pause_length>("pause_length", ranges::positive,
                                  "How long a `pause` lasts."),
      member<s, &s::auto_shutdown>(
        "auto_shutdown", "\"never\" in a pool",
        "Does the end of significant children end the supervisor?"),
      member<s, &s::revive>(
        "revive", ranges::any,
        "Do restarts of a group bring back what was stopped by an operator, or "
        "had finished?"),
      member<s, &s::children_max>(
        "children_max", "at least as many as in `children`, or \"infinity\"",
        "Most children at a time. In a pool, any number."),
      member<s, &s::children>("children", "of sections; exactly one in a pool",
                              "In the order in which they start.", "[]"),
    }};
  return table;
}

template <>
const section_table<child_spec>& table_of() {
  using s = child_spec;
  static const auto making = [](const char* name, const char* type,
                                const char* range, const char* meaning,
                                void (*read)(const field_value&, s&)) {
    return field<s>{
      {.name = name, .type = type, .range = range, .meaning = meaning}, read};
  };
  static const section_table<s> table{
    "child",
    "An element of `children`. It has an `id`, and either a `kind` or a "
    "`supervisor`.",
    {
      member<s, &s::id>("id", "1 to 255 bytes, no /, no control characters",
                        "Part of its path; unlike those of its siblings.",
                        "none: has to be given"),
      making("kind", type_names::text, "the name of a kind",
             "What kind of worker it is.",
             [](const field_value& x, s&) {
               if (x.node.kind != syntax_kind::text)
                 x.refuse(x.node.kind == syntax_kind::word
                            ? policy::quoted(x.node.text)
                            : "");
             }),
      making("arguments", type_names::section, "those of its kind",
             "What the kind wants to know.",
             [](const field_value& x, s&) {
               if (x.node.kind != syntax_kind::map)
                 x.refuse();
             }),
      member<s, &s::supervisor>("supervisor", "up to 64 inside one another",
                                "An inner supervisor, instead of a worker."),
      member<s, &s::restart>("restart", ranges::any,
                             "Does it come back always, after failures, or "
                             "never?"),
      member<s, &s::shutdown>(
        "shutdown", "0s or more, \"infinity\" or \"brutal_kill\"",
        "How long it may take to end when asked to, before it is killed.",
        "5s for workers, \"infinity\" for supervisors"),
      member<s, &s::kill_grace>(
        "kill_grace", ranges::not_negative,
        "From being killed to being given up as abandoned."),
      member<s, &s::start_deadline>(
        "start_deadline", ranges::positive_or_infinite,
        "From its start to ready.",
        "5s for workers, \"infinity\" for supervisors"),
      member<s, &s::backoff>("backoff", ranges::any,
                             "How long to wait before it is restarted."),
      member<s, &s::limits>(
        "limits", ranges::any,
        "A budget of its own, beside the supervisor's. By default, "
        "`restarts_max` is \"infinity\" here."),
      member<s, &s::on_exhausted>("on_exhausted", ranges::any,
                                  "What happens when its own `limits` are "
                                  "exceeded."),
      member<s, &s::on_failure>(
        "on_failure", "of sections",
        "What to do about failures of certain classes. Failures of the class "
        "`permanent_failure` stop the child unless a rule says otherwise, all "
        "others restart it.",
        "[]"),
      member<s, &s::significant>(
        "significant",
        "true only where the supervisor has `auto_shutdown`, and not for "
        "permanent children",
        "Its end may end the supervisor."),
      member<s, &s::heartbeat>("heartbeat", ranges::any,
                               "When silence is a failure."),
      member<s, &s::isolation>("isolation", ranges::any,
                               "On the pool of threads, or on one of its own: "
                               "if it hangs, it then blocks nobody else."),
      member<s, &s::parking>("parking", ranges::any,
                             "What becomes of messages between two lives."),
    }};
  return table;
}

} // namespace coppice

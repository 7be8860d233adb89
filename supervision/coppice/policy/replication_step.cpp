// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_step.hpp"

namespace coppice::policy {

namespace {

/// For integers that were cast to an enumeration.
constexpr const char* no_such_enumerator = "unknown";

} // namespace

const char* to_string(step_kind x) noexcept {
  switch (x) {
    case step_kind::send:
      return "send";
    case step_kind::cancel:
      return "cancel";
    case step_kind::release:
      return "release";
    case step_kind::answer:
      return "answer";
    case step_kind::give_up:
      return "give_up";
    case step_kind::forget:
      return "forget";
  }
  return no_such_enumerator;
}

const char* to_string(copy_reason x) noexcept {
  switch (x) {
    case copy_reason::original:
      return "original";
    case copy_reason::at_once:
      return "at_once";
    case copy_reason::late:
      return "late";
    case copy_reason::failover:
      return "failover";
  }
  return no_such_enumerator;
}

const char* to_string(give_up_reason x) noexcept {
  switch (x) {
    case give_up_reason::all_failed:
      return "all_failed";
    case give_up_reason::fatal:
      return "fatal";
    case give_up_reason::over:
      return "over";
    case give_up_reason::no_agreement:
      return "no_agreement";
    case give_up_reason::no_replica:
      return "no_replica";
  }
  return no_such_enumerator;
}

std::string to_string(const replication_step& x) {
  const auto request = " #" + std::to_string(x.copy.request);
  const auto copy = request + '.' + std::to_string(x.copy.number);
  const auto replica = std::to_string(x.replica);
  const std::string kind = to_string(x.kind);
  switch (x.kind) {
    case step_kind::send:
      return kind + copy + " to " + replica + ", " + to_string(x.why_sent)
             + (x.shares_domain ? ", in a shared domain" : "");
    case step_kind::cancel:
    case step_kind::release:
      return kind + copy + " at " + replica;
    case step_kind::answer:
      return kind + copy;
    case step_kind::give_up:
      return kind + request + ", " + to_string(x.why_given_up);
    case step_kind::forget:
      return kind + request;
  }
  return kind + copy;
}

} // namespace coppice::policy

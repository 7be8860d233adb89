// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_spec.hpp"

namespace coppice::policy {

namespace {

/// For integers that were cast to an enumeration; validation refuses them.
constexpr const char* no_such_enumerator = "unknown";

replication_spec at_once(replication_mode mode, std::uint32_t copies) {
  return {.mode = mode, .copies = copies, .hedge = std::nullopt};
}

} // namespace

bool share_domain(const failure_domain& a, const failure_domain& b) noexcept {
  const auto is_same = [](const std::string& x, const std::string& y) {
    return !x.empty() && x == y;
  };
  return is_same(a.thread, b.thread) || is_same(a.process, b.process)
         || is_same(a.host, b.host) || is_same(a.data_path, b.data_path);
}

// -- the usual ones ----------------------------------------------------------

replication_spec replication_spec::race(std::uint32_t copies) {
  return at_once(replication_mode::race, copies);
}

replication_spec replication_spec::hedged(hedge_spec hedge) {
  return {.mode = replication_mode::hedge, .copies = 1, .hedge = hedge};
}

replication_spec replication_spec::tied(std::uint32_t copies) {
  auto result = at_once(replication_mode::tied, copies);
  result.choice = replica_choice::two_choices;
  return result;
}

replication_spec replication_spec::tied_and_hedged(hedge_spec hedge,
                                                   std::uint32_t copies) {
  auto result = tied(copies);
  result.hedge = hedge;
  return result;
}

replication_spec replication_spec::first_of(std::uint32_t quorum,
                                            std::uint32_t copies) {
  auto result = at_once(replication_mode::quorum, copies);
  result.quorum = quorum;
  return result;
}

replication_spec replication_spec::majority_of(std::uint32_t copies) {
  auto result = first_of(copies / 2 + 1, copies);
  result.quorum_agrees = true;
  return result;
}

// -- texts -------------------------------------------------------------------

const char* to_string(replication_mode x) noexcept {
  switch (x) {
    case replication_mode::race:
      return "race";
    case replication_mode::hedge:
      return "hedge";
    case replication_mode::tied:
      return "tied";
    case replication_mode::quorum:
      return "quorum";
  }
  return no_such_enumerator;
}

const char* to_string(hedge_trigger x) noexcept {
  switch (x) {
    case hedge_trigger::after_send:
      return "after_send";
    case hedge_trigger::after_start:
      return "after_start";
  }
  return no_such_enumerator;
}

const char* to_string(replica_choice x) noexcept {
  switch (x) {
    case replica_choice::uniform:
      return "uniform";
    case replica_choice::two_choices:
      return "two_choices";
  }
  return no_such_enumerator;
}

const char* to_string(shared_domain_rule x) noexcept {
  switch (x) {
    case shared_domain_rule::refuse:
      return "refuse";
    case shared_domain_rule::flag:
      return "flag";
  }
  return no_such_enumerator;
}

} // namespace coppice::policy

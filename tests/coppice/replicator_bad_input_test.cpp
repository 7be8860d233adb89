// This file is part of coppice. License: see LICENSE in the source root.

// Bad input to a replicator: refused by field before anything is made; and
// requests that make no sense get a typed failure.

#include "support/replicator_test.hpp"

#include <functional>
#include <limits>
#include <sstream>

namespace coppice::test {
namespace {

using policy::hedge_trigger;
using policy::replica_choice;
using policy::shared_domain_rule;

constexpr auto nan = std::numeric_limits<double>::quiet_NaN();

class ReplicatorBadInput : public replicator_test {
public:
  using spoiler = std::function<void(replicator_options&)>;
  struct bad_case {
    const char* field;
    const char* value;
    spoiler spoil;
  };

  /// Sound: hedged, with three replicas.
  replicator_options sound() {
    replicator_options result{.name = "pages"};
    for (const auto* name : {"a", "b", "c"})
      result.replicas.push_back({.about = {.name = name}, .handle = target});
    return result;
  }

  /// Each spoils one field, and that is what is said, with what was found.
  void expect_refused(const std::vector<bad_case>& cases) {
    for (const auto& x : cases) {
      auto options = sound();
      x.spoil(options);
      const auto defects = validate(options, "pages");
      ASSERT_EQ(defects.size(), 1u) << x.field << '\n' << to_string(defects);
      EXPECT_EQ(defects[0].field, "pages."s + x.field);
      EXPECT_THAT(defects[0].value, HasSubstr(x.value)) << x.field;
      EXPECT_NE(defects[0].expected, "") << x.field;
      expect_throws(options, "pages."s + x.field);
    }
  }

  void expect_throws(const replicator_options& options,
                     const std::string& field) {
    try {
      const replicator none{system(), options};
      ADD_FAILURE() << field << " was accepted";
    } catch (const failure_error& x) {
      EXPECT_EQ(to_errc(x.get()), errc::invalid_spec);
      EXPECT_THAT(x.get().message, HasSubstr(field));
    }
  }

  void TearDown() override {
    kill(target);
    settle();
    target = nullptr;
    replicator_test::TearDown();
  }

  caf::actor target = system().spawn(server<caf::event_based_actor>, "x"s,
                                     seen);
};

// REPLICATE-2: what the cases below spoil is sound.
TEST_F(ReplicatorBadInput, BeginsWithGoodInput) {
  EXPECT_THAT(validate(sound(), "pages"), IsEmpty());
  EXPECT_NO_THROW((replicator{system(), sound()}));
}

// REPLICATE-5: who is there to be asked.
TEST_F(ReplicatorBadInput, NamesWhatIsWrongWithReplicas) {
  expect_refused({
    {"replicas", "0", [](auto& x) { x.replicas.clear(); }},
    {"replicas[1].handle", "null",
     [](auto& x) { x.replicas[1].handle = nullptr; }},
    {"replicas[0].name", "", [](auto& x) { x.replicas[0].about.name = ""; }},
    {"replicas[2].name", "a", [](auto& x) { x.replicas[2].about.name = "a"; }},
    {"replicas[2].name", "", [](auto& x) { x.replicas[2].about.name = "\n"; }},
    {"replicas[1].servers", "1000001",
     [](auto& x) { x.replicas[1].about.servers = 1'000'001; }},
    {"replicas", "3",
     [](auto& x) {
       for (auto& y : x.replicas)
         y.about.domain.host = "one";
     }},
    {"shared_domain", "9",
     [](auto& x) {
       x.policy.shared_domain = static_cast<shared_domain_rule>(9);
     }},
    {"choice", "9",
     [](auto& x) { x.policy.choice = static_cast<replica_choice>(9); }},
    {"unmarked", "9",
     [](auto& x) { x.unmarked = static_cast<unmarked_requests>(9); }},
  });
}

// REPLICATE-2: how many copies, of which how many count.
TEST_F(ReplicatorBadInput, NamesWhatIsWrongWithCopies) {
  expect_refused({
    {"mode", "9",
     [](auto& x) { x.policy.mode = static_cast<replication_mode>(9); }},
    {"copies", "4", [](auto& x) { x.policy = replication_spec::race(4); }},
    {"copies", "1", [](auto& x) { x.policy = replication_spec::race(1); }},
    {"copies", "0", [](auto& x) { x.policy = replication_spec::tied(0); }},
    {"copies", "2", [](auto& x) { x.policy.copies = 2; }},
    {"quorum", "3",
     [](auto& x) { x.policy = replication_spec::first_of(3, 2); }},
    {"quorum", "0",
     [](auto& x) { x.policy = replication_spec::first_of(0, 2); }},
    {"quorum", "1", [](auto& x) { x.policy.quorum = 1; }},
    {"quorum_agrees", "true", [](auto& x) { x.policy.quorum_agrees = true; }},
    {"quorum_agrees", "true",
     [](auto& x) {
       x.policy = replication_spec::first_of(1, 2);
       x.policy.quorum_agrees = true;
     }},
  });
}

// REPLICATE-2: when a copy is late.
TEST_F(ReplicatorBadInput, NamesWhatIsWrongWithHedges) {
  expect_refused({
    {"hedge", "", [](auto& x) { x.policy.hedge.reset(); }},
    {"hedge", "",
     [](auto& x) {
       x.policy = replication_spec::race(2);
       x.policy.hedge = hedge_spec{};
     }},
    {"hedge.quantile", "1.5", [](auto& x) { x.policy.hedge->quantile = 1.5; }},
    {"hedge.quantile", "nan", [](auto& x) { x.policy.hedge->quantile = nan; }},
    {"hedge.delay", "-1ms",
     [](auto& x) {
       x.policy.hedge->quantile = std::nullopt;
       x.policy.hedge->delay = -1ms;
     }},
    {"hedge.floor", "-1ms", [](auto& x) { x.policy.hedge->floor = -1ms; }},
    {"hedge.cap", "500us", [](auto& x) { x.policy.hedge->cap = 500us; }},
    {"hedge.samples_min", "0",
     [](auto& x) { x.policy.hedge->samples_min = 0; }},
    {"hedge.extra_max", "0", [](auto& x) { x.policy.hedge->extra_max = 0; }},
    {"hedge.extra_max", "3", [](auto& x) { x.policy.hedge->extra_max = 3; }},
    {"hedge.trigger", "9",
     [](auto& x) { x.policy.hedge->trigger = static_cast<hedge_trigger>(9); }},
    {"hedge.trigger", "after_send",
     [](auto& x) {
       x.policy = replication_spec::tied_and_hedged(
         {.trigger = hedge_trigger::after_send});
     }},
  });
}

// REPLICATE-2, DEADLINE-1: a hedge that comes when nobody waits any more.
TEST_F(ReplicatorBadInput, NamesDelaysAboveTheDeadline) {
  expect_refused({
    {"deadline", "0s",
     [](auto& x) {
       x.policy = replication_spec::race(2);
       x.deadline = 0s;
     }},
    {"deadline", "-1s",
     [](auto& x) {
       x.policy = replication_spec::race(2);
       x.deadline = -1s;
     }},
    {"hedge.floor", "1ms", [](auto& x) { x.deadline = 1ms; }},
    {"hedge.delay", "2s",
     [](auto& x) {
       x.deadline = 1s;
       x.policy = hedged_after(2s);
     }},
  });
  auto options = sound();
  options.deadline = 1ms + 1ns;
  EXPECT_THAT(validate(options, "pages"), IsEmpty());
}

// REPLICATE-3, REPLICATE-7: what copies may cost, and when they do not pay.
TEST_F(ReplicatorBadInput, NamesWhatIsWrongWithCosts) {
  expect_refused({
    {"budget.share", "-0.1", [](auto& x) { x.policy.budget.share = -0.1; }},
    {"budget.share", "nan", [](auto& x) { x.policy.budget.share = nan; }},
    {"budget.window", "0s", [](auto& x) { x.policy.budget.window = 0s; }},
    {"budget.reserve", "1001",
     [](auto& x) { x.policy.budget.reserve = 1'001; }},
    {"off_switch.wins_min", "-1",
     [](auto& x) { x.policy.off_switch.wins_min = -1; }},
    {"off_switch.judged_by", "0",
     [](auto& x) { x.policy.off_switch.judged_by = 0; }},
    {"off_switch.probe_every", "1",
     [](auto& x) { x.policy.off_switch.probe_every = 1; }},
    {"off_switch.load_max", "0.5",
     [](auto& x) { x.policy.off_switch.load_max = 0.5; }},
    {"latency_window", "0s", [](auto& x) { x.policy.latency_window = 0s; }},
    {"ejection.failures_max", "0",
     [](auto& x) { x.policy.ejection.failures_max = 0; }},
    {"ejection.slow_factor", "1",
     [](auto& x) { x.policy.ejection.slow_factor = 1; }},
    {"ejection.first", "0s", [](auto& x) { x.policy.ejection.first = 0s; }},
    {"ejection.share_max", "2",
     [](auto& x) { x.policy.ejection.share_max = 2; }},
  });
}

// REPLICATE-5: all defects at once, those of the options among them.
TEST_F(ReplicatorBadInput, NamesAllDefects) {
  auto options = sound();
  options.policy.budget.share = -1;
  options.policy.hedge->extra_max = 99;
  options.replicas[2].handle = nullptr;
  for (const auto* field :
       {"pages.budget.share", "pages.hedge.extra_max", "pages.replicas[2]"})
    expect_throws(options, field);
}

// DEADLINE-4, REPLICATE-2: a delay above the deadline: the request ends by its
// deadline, without another copy.
TEST_F(ReplicatorBadInput, IsADelayAboveTheDeadline) {
  start(hedged_after(2s));
  const auto a = send(context::lasting(1s).idempotent(), 4);
  pass(1h);
  EXPECT_THAT(answer(a), FailsWith(errc::deadline_exceeded));
  EXPECT_EQ(who_began(4).size(), 1u);
  EXPECT_EQ(core().late_sent, 0u);
}

// REPLICATE-1: what no replica understands fails, typed, and once.
TEST_F(ReplicatorBadInput, IsAMessageThatNobodyHandles) {
  start(replication_spec::race(2));
  const auto a = send(patient(), 1.5);
  const auto b = send(patient());
  for (const auto x : {a, b}) {
    ASSERT_FALSE(answer(x).has_value());
    EXPECT_NE(answer(x).error().failure_class, "no_answer_yet");
    EXPECT_TRUE(is_well_formed(answer(x).error()));
  }
}

// REPLICATE-6: keys of any length and content.
TEST_F(ReplicatorBadInput, IsAnyKey) {
  start(replication_spec::race(2));
  auto n = 0;
  for (const auto& key :
       {std::string(100'000, 'x'), "\n\0"s, "\xff\xfe"s, " "s}) {
    const auto a = send(context::without_deadline().idempotent(key), ++n);
    ASSERT_EQ(who_began(n).size(), 2u);
    EXPECT_NE(copy(n, 0).key, "");
    EXPECT_EQ(copy(n, 0).key, copy(n, 1).key);
    pay(who_began(n)[0], n);
    EXPECT_THAT(answer(a), Succeeds());
  }
}

} // namespace
} // namespace coppice::test

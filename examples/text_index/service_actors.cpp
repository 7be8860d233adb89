// This file is part of coppice. License: see LICENSE in the source root.

#include "service_actors.hpp"

#include <stdexcept>

namespace text_index {

namespace {

/// Throws if the plan wants `who` to fall at this point.
void strike(service& of, service_part who, std::uint64_t lease_number,
            service_fault at) {
  if (of.faults.draw(who, lease_number) != at)
    return;
  of.statistics.on_service_fault();
  throw std::runtime_error{"injected: throw"};
}

} // namespace

caf::behavior coordinator::make_behavior() {
  return {[this](const work_request& x) { return assign(x.from); }};
}

assignment coordinator::assign(const worker_life& to) {
  auto result = service_->store.next_for(to);
  if (result.what == assignment::kind::work)
    // The lease exists, and nobody hears of it: this life asks again.
    strike(*service_, service_part::coordinator, result.work.number,
           service_fault::after);
  healthy(); // its next restart, if any, need not wait
  return result;
}

caf::behavior merger::make_behavior() {
  return {[this](const file_result& x) { return merge(x); }};
}

receipt merger::merge(const file_result& result) {
  const auto number = result.lease_number;
  strike(*service_, service_part::merger, number, service_fault::before);
  const auto what = service_->store.bring_in(number, result.file);
  // Counted, and the worker does not know: it goes on all the same.
  strike(*service_, service_part::merger, number, service_fault::after);
  healthy();
  return what;
}

} // namespace text_index

// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/replicator.hpp"

#include "coppice/actors/replicator_front.hpp"
#include "coppice/failure_convert.hpp"

#include <utility>

namespace coppice {

namespace {

replicator_front& object_of(const caf::actor& front) {
  return compat::object_of<replicator_front>(front);
}

} // namespace

replicator::replicator(caf::actor_system& system, replicator_options options) {
  if (const auto defects = validate(options, options.name); !defects.empty())
    throw failure_error{{.failure_class = to_string(errc::invalid_spec),
                         .code = errc::invalid_spec,
                         .message = to_string(defects)}};
  front_ = compat::make_redirecting<replicator_front>(system, options);
}

replicator& replicator::operator=(replicator&& x) noexcept {
  if (this != &x) {
    if (front_)
      stop();
    front_ = std::move(x.front_);
  }
  return *this;
}

replicator::~replicator() {
  if (front_)
    stop();
}

bool replicator::set_present(std::string_view replica, bool present) const {
  return object_of(front_).set_present(replica, present);
}

void replicator::stop() const {
  object_of(front_).stop();
}

replicator_statistics replicator::statistics() const {
  return object_of(front_).statistics();
}

} // namespace coppice

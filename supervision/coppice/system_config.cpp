// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/system_config.hpp"

namespace coppice {

system_config::system_config(std::size_t threads) {
  add_types(*this);
  use_recommended_settings(*this);
  if (threads > 0)
    compat::set_option(*this, "scheduler.max-threads", threads);
}

void use_recommended_settings(caf::actor_system_config& config) {
  compat::use_work_sharing(config);
  compat::set_option(config, "scheduler.max-throughput",
                     recommended_throughput);
}

} // namespace coppice

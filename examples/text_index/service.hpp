// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the actors of the service share, and the messages between them.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/type_ids.hpp"

#include "corpus.hpp"
#include "faults.hpp"
#include "index_store.hpp"
#include "options.hpp"
#include "run_statistics.hpp"

#include <memory>
#include <utility>

namespace text_index {

/// Outlives every actor, those included that were given up: all hold a share.
struct service {
  service(corpus what, const options& how)
    : files(std::move(what)),
      stall_timeout(how.stall_timeout),
      faults(how.faults, files.files.size(), how.poison_after),
      store(files.files.size(), how.poison_after) {}

  const corpus files;
  const std::chrono::milliseconds stall_timeout;
  const fault_plan faults;
  index_store store;
  run_statistics statistics;
};
using service_ptr = std::shared_ptr<service>;

/// Worker to coordinator; the answer is an `assignment`.
struct work_request {
  worker_life from;
};

/// Worker to merger; the answer is a `receipt`.
struct file_result {
  std::uint64_t lease_number = 0;
  file_scan file;
};

/// Worker to itself.
struct next_file {};

} // namespace text_index

CAF_BEGIN_TYPE_ID_BLOCK(text_index, coppice::first_user_type_id)
  CAF_ADD_TYPE_ID(text_index, (text_index::work_request))
  CAF_ADD_TYPE_ID(text_index, (text_index::assignment))
  CAF_ADD_TYPE_ID(text_index, (text_index::file_result))
  CAF_ADD_TYPE_ID(text_index, (text_index::receipt))
  CAF_ADD_TYPE_ID(text_index, (text_index::next_file))
CAF_END_TYPE_ID_BLOCK(text_index)

// None of them ever leaves the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(text_index::work_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(text_index::assignment)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(text_index::file_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(text_index::receipt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(text_index::next_file)

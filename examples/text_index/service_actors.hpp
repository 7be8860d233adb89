// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The coordinator and the merger: the two doors to the store.
///
/// Neither has a state of its own, so a new life of theirs goes on at once,
/// and requests that come in between wait at its reference.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/actors/worker.hpp"

#include "service.hpp"

namespace text_index {

/// Hands out the files, one lease at a time.
class coordinator : public coppice::worker {
public:
  coordinator(caf::actor_config& cfg, service_ptr service)
    : worker(cfg), service_(std::move(service)) {}

  caf::behavior make_behavior() override;

private:
  [[nodiscard]] assignment assign(const worker_life& to);

  service_ptr service_;
};

/// Brings what the workers found into the index.
class merger : public coppice::worker {
public:
  merger(caf::actor_config& cfg, service_ptr service)
    : worker(cfg), service_(std::move(service)) {}

  caf::behavior make_behavior() override;

private:
  [[nodiscard]] receipt merge(const file_result& result);

  service_ptr service_;
};

} // namespace text_index

// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Three workers, each of which fails in a way of its own.
///
/// Layer: L4.
/// Threads: as any worker.
/// Rules: none.

#include "coppice/actors/worker.hpp"

namespace example {

/// Asks the stock server, which is not there.
caf::behavior stock(coppice::worker* self);

/// Writes the order to a disk that is full.
caf::behavior journal(coppice::worker* self);

/// Looks up a price. There is a bug in it.
caf::behavior prices(coppice::worker* self);

} // namespace example

#pragma once

#include <functional>

#include "base/cancellation.h"
#include "nft/batch.h"
#include "nft/socket.h"

namespace vulcan::nft {

// Reads what it needs and fills the batch; false when nothing has to change.
using Change = std::function<bool(Socket&, Batch&)>;

// Read, modify, write as one step: whenever anyone changed the ruleset after `change` had begun to read, it
// is called again with a new batch, after `refused` where the kernel has done nothing of what it was given.
// In the network namespace of the calling thread.
void Transact(
    const Cancellation& cancellation, const Change& change, const std::function<void()>& refused = [] {});

// Writes without having read. Done anew when answers were lost, so that the batch must be fine with its own
// effect.
void CommitAnew(Socket& socket, Batch::Messages messages, const std::function<void(Batch&)>& fill);

}  // namespace vulcan::nft

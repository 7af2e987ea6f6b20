#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/wait.h"
#include "engine/slot.h"

namespace vulcan {

struct SlotProofs {
  // For each slot, or nothing: then it has been entered, and is ready for ResetSlots.
  std::vector<std::optional<Error>> against;
  // Of what grows with the host.
  Clock::duration reading{};
};

// Of slots that were returned: that no thread is in the namespace, that no socket and no TAP of it is open,
// that it has never had rules of nftables, and that neither it nor the host tracks a connection of its
// addresses: those that the host has tracked are forgotten. One reading of /proc and of the host's
// connections for all of them; both grow with the host. Needs no RTNL.
[[nodiscard]] SlotProofs ProveSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                    const Cancellation& cancellation);

}  // namespace vulcan

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
  // For each slot, or nothing: then it is ready for EnterSlots.
  std::vector<std::optional<Error>> against;
  // Of what grows with the host.
  Clock::duration reading{};
};

// Of slots that were returned, from outside: that no thread is in the namespace, and that the host tracks no
// connection of its addresses: those that it has tracked are forgotten. One reading of /proc and of the
// host's connections for all of them; both grow with the host.
[[nodiscard]] SlotProofs ProveSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                    const Cancellation& cancellation);

}  // namespace vulcan

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
  // For each slot, or nothing: nothing speaks against it.
  std::vector<std::optional<Error>> against;
  // Of what grows with the host.
  Clock::duration reading{};
};

// Of slots that were returned, from outside: that no thread is in the namespace; then they are ready for
// EnterSlots. The connections of their addresses that the host tracks are forgotten here, where one reading
// for all is cheaper. What is read of /proc and of connections is read once for all of them; both grow with
// the host.
[[nodiscard]] SlotProofs ProveSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                    const Cancellation& cancellation);

}  // namespace vulcan

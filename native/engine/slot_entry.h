#pragma once

#include <memory>
#include <vector>

#include "base/cancellation.h"
#include "engine/slot.h"
#include "engine/slot_proof.h"

namespace vulcan {

// Of slots that ProveSlots has found clean: that the host tracks no connection of their addresses, which are
// forgotten where ProveSlots has not done so; that no socket and no TAP of the namespace is open, that none
// of its ports is yet to be freed, that it has never had rules of nftables, that it tracks no connection, and
// that what is set in it is what was when it was made. Then they have been entered, and are ready for
// ResetSlots. Changes nothing that needs RTNL.
[[nodiscard]] SlotProofs EnterSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                    const Cancellation& cancellation);

}  // namespace vulcan

#pragma once

#include <string>
#include <vector>

#include "base/undo.h"
#include "engine/slot.h"
#include "sys/address_store.h"

namespace vulcan {

// If the store was deleted and recreated, the slot's addresses may belong to someone else; nothing of theirs
// may be touched.
[[nodiscard]] bool HasAddresses(const Slot& slot);
[[nodiscard]] std::vector<ReservedAddress> AddressesOfNobodyElse(const Slot& slot);

// Gives the slot's addresses to another owner, and pushes what takes that back, for which the store must
// still be there. ENOENT with reason kSlotSpoilt and what `refused` says where `from` no longer has one of
// them.
void HandAddresses(const AddressStore& store, const Slot& slot, const std::string& from,
                   const std::string& to, const char* refused, UndoStack& undo);

}  // namespace vulcan

#include "engine/slot_addresses.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/error.h"

namespace vulcan {

bool HasAddresses(const Slot& slot) {
  return std::ranges::all_of(slot.addresses, [&slot](const ReservedAddress& each) {
    return HolderOf(slot.address_directory, each.address, slot.owner) == Holder::kOwner;
  });
}

std::vector<ReservedAddress> AddressesOfNobodyElse(const Slot& slot) {
  std::vector<ReservedAddress> its;
  std::ranges::copy_if(slot.addresses, std::back_inserter(its), [&slot](const ReservedAddress& each) {
    return HolderOf(slot.address_directory, each.address, slot.owner) != Holder::kAnother;
  });
  return its;
}

void HandAddresses(const AddressStore& store, const Slot& slot, const std::string& from,
                   const std::string& to, const char* refused, UndoStack& undo) {
  for (const ReservedAddress& each : slot.addresses) {
    // A failure may leave the file with its new owner.
    undo.Push(
        [&store, address = each.address, from, to] { static_cast<void>(store.Give(address, to, from)); });
    if (!store.Give(each.address, from, to)) {
      throw Error(ENOENT, "openat", refused)
          .Path(slot.address_directory + "/" + each.address.ToString())
          .Why(Reason::kSlotSpoilt);
    }
  }
}

}  // namespace vulcan

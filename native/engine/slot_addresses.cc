#include "engine/slot_addresses.h"

#include <cerrno>

#include "base/error.h"

namespace vulcan {

std::vector<ReservedAddress> OwnAddresses(const Slot& slot) {
  std::vector<ReservedAddress> own;
  for (const ReservedAddress& each : slot.addresses) {
    if (IsReservedFor(slot.address_directory, each.address, slot.owner)) own.push_back(each);
  }
  return own;
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

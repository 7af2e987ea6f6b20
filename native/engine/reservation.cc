#include "engine/reservation.h"

#include "base/undo.h"

namespace vulcan {

std::vector<ReservedAddress> ReserveAll(AddressStore& store, const AddressPlan& plan, AddressHints& hints) {
  std::vector<ReservedAddress> reserved;
  UndoStack undo;
  try {
    for (const AddressRequest& request : plan.requests) {
      reserved.push_back(request.address ? store.ReserveThis(*request.address, request.set, plan.owner, hints)
                                         : store.Reserve(request.set, plan.owner, hints));
      undo.Push([&store, &plan, &hints, address = reserved.back().address] {
        store.Release(address, plan.owner, hints);
      });
    }
  } catch (Error& error) {
    undo.Unwind(error);
    throw;
  }
  return reserved;
}

}  // namespace vulcan

#include "engine/slot_cut.h"

#include <cstddef>
#include <utility>

#include "netlink/bridge_port.h"

namespace vulcan {

std::vector<std::optional<Error>> CutSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                           AttachmentHost& host) {
  std::vector<std::optional<Error>> against(slots.size());
  RtnlBatch batch;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    // A link that is routed to is down.
    if (!IsPort(slots[i]->interface)) continue;
    batch.Add(CutPort(slots[i]->host_index));
    whose.push_back(i);
  }
  std::size_t sent = 0;
  for (const auto& failure : host.Links().Send(std::move(batch))) {
    const std::size_t index = whose[sent++];
    if (failure) against[index] = Error(*failure).Path(slots[index]->host_link);
  }
  return against;
}

}  // namespace vulcan

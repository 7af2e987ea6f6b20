#include "engine/slot_cut.h"

#include <cerrno>
#include <cstddef>
#include <utility>

#include "netlink/bridge_port.h"
#include "netlink/link_change.h"

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

std::vector<std::optional<Error>> CutLeftSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                               AttachmentHost& host) {
  std::vector<std::optional<Error>> against = CutSlots(slots, host);
  LinkChange down;
  down.up = false;
  RtnlBatch batch;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    // One that is routed to is up where it was to be another's; one that is no port any more may have been
    // given another way.
    const bool is_no_port = against[i] && against[i]->Errnum() == EOPNOTSUPP;
    if (!is_no_port && IsPort(slots[i]->interface)) continue;
    batch.Add(SetLink(slots[i]->host_index, down));
    whose.push_back(i);
  }
  std::size_t sent = 0;
  for (const auto& failure : host.Links().Send(std::move(batch))) {
    const std::size_t index = whose[sent++];
    against[index].reset();
    if (failure) against[index] = Error(*failure).Path(slots[index]->host_link);
  }
  for (auto& each : against) {
    if (each && each->Errnum() == ENODEV) each.reset();
  }
  return against;
}

}  // namespace vulcan

#include "engine/slot_cut.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "netlink/bridge_port.h"
#include "netlink/link_change.h"

namespace vulcan {

namespace {

using Slots = std::vector<std::shared_ptr<Slot>>;
using Verdicts = std::vector<std::optional<Error>>;

// The kernel takes 64 KiB in one send (netlink_sendmsg of net/netlink/af_netlink.c), and what is lost of the
// answers speaks against no others.
constexpr std::size_t kVmsAtOnce = 64;

void SendPortion(AttachmentHost& host, const Slots& slots, std::span<const std::size_t> portion,
                 const std::function<RtnlMessage(const Slot&)>& request, Verdicts& against) {
  RtnlBatch batch;
  for (const std::size_t index : portion) batch.Add(request(*slots[index]));
  std::size_t sent = 0;
  for (const auto& failure : host.Links().Send(std::move(batch))) {
    const std::size_t index = portion[sent++];
    against[index].reset();
    if (failure) against[index] = Error(*failure).Path(slots[index]->host_link);
  }
}

// What the kernel says to the request for each of them.
void SendFor(AttachmentHost& host, const Slots& slots, std::span<const std::size_t> whose,
             const std::function<RtnlMessage(const Slot&)>& request, Verdicts& against) {
  for (; !whose.empty(); whose = whose.subspan(std::min(kVmsAtOnce, whose.size()))) {
    const auto portion = whose.first(std::min(kVmsAtOnce, whose.size()));
    try {
      SendPortion(host, slots, portion, request, against);
    } catch (const Error& error) {
      for (const std::size_t index : portion) against[index] = error;
    }
  }
}

}  // namespace

Verdicts CutSlots(const Slots& slots, AttachmentHost& host) {
  Verdicts against(slots.size());
  std::vector<std::size_t> ports;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    // A link that is routed to is down.
    if (IsPort(slots[i]->interface)) ports.push_back(i);
  }
  SendFor(
      host, slots, ports, [](const Slot& slot) { return CutPort(slot.host_index); }, against);
  return against;
}

Verdicts CutLeftSlots(const Slots& slots, AttachmentHost& host) {
  Verdicts against = CutSlots(slots, host);
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    // One that is routed to is up where it was to be another's; one that is no port any more may have been
    // given another way.
    const bool is_no_port = against[i] && against[i]->Errnum() == EOPNOTSUPP;
    if (is_no_port || !IsPort(slots[i]->interface)) others.push_back(i);
  }
  LinkChange down;
  down.up = false;
  SendFor(
      host, slots, others, [&down](const Slot& slot) { return SetLink(slot.host_index, down); }, against);
  for (auto& each : against) {
    if (each && each->Errnum() == ENODEV) each.reset();
  }
  return against;
}

}  // namespace vulcan

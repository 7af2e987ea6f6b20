#include "engine/slot_reset.h"

#include <cerrno>
#include <string>
#include <utility>
#include <variant>

#include "engine/attachment_links.h"
#include "engine/attachment_parts.h"
#include "engine/guard.h"
#include "netlink/link_change.h"
#include "netlink/neighbour.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

[[nodiscard]] Fingerprint OfInside(const Slot& slot, RtnlSocket& inside) {
  return FingerprintNamespace(inside, {slot.interface.tap, slot.interface.name});
}

void Compare(const std::optional<Fingerprint>& before, const Fingerprint& now) {
  const auto difference = before ? before->DifferenceTo(now) : std::optional<std::string>("links");
  if (!difference) return;
  throw Error(EEXIST, RtnlTypeName(RTM_GETLINK), "its " + *difference + " are not as they were made")
      .Why(Reason::kSlotSpoilt);
}

void ResetTapOf(Slot& slot) {
  // TUNSETIFF would make one where there is none.
  if (!slot.entered->links.IndexOf(slot.interface.tap)) {
    throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(slot.interface.tap).Why(Reason::kSlotSpoilt);
  }
  ResetTap(std::move(slot.entered->tun), slot.interface.tap, slot.interface.tap_owner);
  // Offloads that a VMM has not taken are no longer asked for.
  RequestLinkFeatures(slot.entered->links.Fd(), slot.interface.tap, slot.tap_features);
}

}  // namespace

void TakeFingerprints(Slot& slot, RtnlSocket& inside, RtnlSocket& host) {
  slot.host_index = host.IndexOf(slot.host_link).value_or(0);
  slot.tap_features = GetLinkFeatures(inside.Fd(), slot.interface.tap);
  slot.inside = OfInside(slot, inside);
  slot.link = FingerprintLink(host, slot.host_index);
}

ResetSlots::ResetSlots(std::vector<std::shared_ptr<Slot>> slots, AttachmentHost& host)
    : slots_(std::move(slots)), host_(host), against_(slots_.size()) {}

Progress<std::vector<std::optional<Error>>> ResetSlots::Step() {
  if (next_ == slots_.size()) return std::move(against_);
  Slot& slot = *slots_[next_];
  bool ended = stage_ == Stage::kHost;
  try {
    Advance(slot);
  } catch (...) {
    against_[next_] = CurrentError();
    ended = true;
  }
  if (ended) {
    slot.entered.reset();
    stage_ = Stage::kTap;
    if (++next_ == slots_.size()) return std::move(against_);
  }
  return Wait{{}, Clock::now()};
}

void ResetSlots::Advance(Slot& slot) {
  if (!slot.entered) throw Error(EINVAL, "setns", "the slot was not proven clean").Why(Reason::kSlotSpoilt);
  switch (stage_) {
    case Stage::kTap:
      ResetTapOf(slot);
      stage_ = Stage::kInside;
      return;
    case Stage::kInside:
      Compare(slot.inside, OfInside(slot, slot.entered->links));
      stage_ = Stage::kHost;
      return;
    case Stage::kHost:
      ResetHost(slot);
      return;
  }
}

// Frames are forwarded again as the last of it.
void ResetSlots::ResetHost(Slot& slot) {
  if (slot.guard) {
    const Cancellation never;
    guard::Add(host_.Nft(), *slot.guard, never);
  }
  RtnlBatch batch;
  LinkChange nobodys;
  nobodys.alias = "";
  batch.Add(SetLink(slot.host_index, nobodys));
  const auto* port = std::get_if<BridgePort>(&slot.interface.port);
  if (port != nullptr) {
    const auto bridge = host_.Links().IndexOf(port->bridge);
    if (!bridge) throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(port->bridge).Why(Reason::kSlotSpoilt);
    for (const ReservedAddress& each : slot.addresses) batch.Add(DelNeighbour(*bridge, each.address));
    for (const IpAddress& each : slot.interface.guard_addresses) batch.Add(DelNeighbour(*bridge, each));
  }
  for (const auto& failure : host_.Links().Send(std::move(batch))) {
    if (failure && failure->Errnum() != ENOENT) throw Error(*failure).Path(slot.host_link);
  }
  if (port == nullptr) SetHostLinkUp(host_.Links(), slot.interface, slot.addresses);
  Compare(slot.link, FingerprintLink(host_.Links(), slot.host_index));
  if (port != nullptr) host_.Links().Request(ReopenPort(slot.host_index));
}

}  // namespace vulcan

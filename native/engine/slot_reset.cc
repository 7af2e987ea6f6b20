#include "engine/slot_reset.h"

#include <cerrno>
#include <string>
#include <utility>

#include "engine/attachment_links.h"
#include "engine/attachment_parts.h"
#include "engine/guard.h"
#include "engine/slot_addresses.h"
#include "netlink/bridge_port.h"
#include "netlink/link_change.h"
#include "netlink/neighbour.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

void ResetTapOf(Slot& slot) {
  if (!slot.entered) throw Error(EINVAL, "setns", "the slot was not entered").Why(Reason::kSlotSpoilt);
  // TUNSETIFF would make one where there is none.
  if (!slot.entered->links.IndexOf(slot.interface.tap)) {
    throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(slot.interface.tap).Why(Reason::kSlotSpoilt);
  }
  ResetTap(std::move(slot.entered->tun), slot.interface.tap, slot.interface.tap_owner);
  // Offloads that a VMM has not taken are no longer asked for.
  RequestLinkFeatures(slot.entered->links.Fd(), slot.interface.tap, slot.prints->tap_features);
}

}  // namespace

ResetSlots::ResetSlots(std::vector<std::shared_ptr<Slot>> slots, AttachmentHost& host)
    : slots_(std::move(slots)), host_(host), against_(slots_.size()) {}

Progress<std::vector<std::optional<Error>>> ResetSlots::Step() {
  if (next_ == slots_.size() && stage_ != Stage::kHost) return std::move(against_);
  switch (stage_) {
    case Stage::kTap:
      Try(next_, [](Slot& slot) { ResetTapOf(slot); });
      stage_ = Stage::kInside;
      break;
    case Stage::kInside:
      Try(next_, [](Slot& slot) { CompareLinks(slot, slot.entered->links); });
      slots_[next_]->entered.reset();
      ++next_;
      stage_ = next_ == slots_.size() || next_ - group_ == kTogether ? Stage::kHost : Stage::kTap;
      break;
    case Stage::kHost:
      ResetGroup();
      for (; group_ < next_; ++group_) slots_[group_]->was_vms = against_[group_].has_value();
      stage_ = Stage::kTap;
      if (next_ == slots_.size()) return std::move(against_);
      break;
  }
  return Wait{{}, Clock::now()};
}

void ResetSlots::Try(std::size_t index, const std::function<void(Slot&)>& body) {
  if (against_[index]) return;
  try {
    body(*slots_[index]);
  } catch (...) {
    against_[index] = CurrentError();
  }
}

void ResetSlots::ResetGroup() {
  GuardGroup();
  RtnlBatch batch;
  std::vector<std::size_t> whose;
  for (std::size_t i = group_; i < next_; ++i) {
    Try(i, [&](Slot& slot) {
      if (!IsPort(slot.interface)) SetRoutedUp(slot);
      const bool has_alias = CompareHostLink(slot, host_.Links());
      for (RtnlMessage& message : LastOf(slot, has_alias)) {
        batch.Add(std::move(message));
        whose.push_back(i);
      }
    });
  }
  if (batch.IsEmpty()) return;
  try {
    std::size_t sent = 0;
    for (const auto& failure : host_.Links().Send(std::move(batch))) {
      const std::size_t index = whose[sent++];
      // Neighbours that nobody knows.
      if (!failure || failure->Errnum() == ENOENT || against_[index]) continue;
      against_[index] = Error(*failure).Path(slots_[index]->host_link);
    }
  } catch (...) {
    Spoil();
  }
}

// Its routes would take the place of those to whoever has its addresses by now.
void ResetSlots::SetRoutedUp(const Slot& slot) {
  if (!HasAddresses(slot)) {
    throw Error(ENOENT, "openat", "the address is no longer the pool's")
        .Path(slot.address_directory)
        .Why(Reason::kSlotSpoilt);
  }
  SetHostLinkUp(host_.Links(), slot.interface, slot.addresses);
}

// Whoever of the group is not spoilt yet is, by what is being thrown.
void ResetSlots::Spoil() {
  for (std::size_t i = group_; i < next_; ++i) {
    if (!against_[i]) against_[i] = CurrentError();
  }
}

// One transaction for all: where it fails, none of them is guarded.
void ResetSlots::GuardGroup() {
  std::vector<Slot*> guarded;
  std::vector<guard::Port> ports;
  for (std::size_t i = group_; i < next_; ++i) {
    if (against_[i] || !slots_[i]->guard) continue;
    guarded.push_back(slots_[i].get());
    ports.push_back(*slots_[i]->guard);
  }
  if (ports.empty()) return;
  try {
    const Cancellation never;
    const guard::TableHandles tables = guard::NeedTables(host_.Nft(), ports.front().routed, never);
    guard::AddAll(host_.Nft(), ports, never);
    for (Slot* slot : guarded) slot->guard_tables = tables;
  } catch (...) {
    Spoil();
  }
}

// What opens the port comes when nothing else is left to be done. A VM that was gone before its link said
// whose it is has left no alias, and every change is told to all who listen.
std::vector<RtnlMessage> ResetSlots::LastOf(const Slot& slot, bool has_alias) {
  std::vector<RtnlMessage> messages;
  const bool is_port = IsPort(slot.interface);
  if (is_port) {
    const std::string& name = slot.interface.bridge;
    const auto bridge = host_.Links().IndexOf(name);
    if (!bridge) throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(name).Why(Reason::kSlotSpoilt);
    for (const ReservedAddress& each : slot.addresses)
      messages.push_back(DelNeighbour(*bridge, each.address));
    for (const IpAddress& each : slot.interface.guard_addresses)
      messages.push_back(DelNeighbour(*bridge, each));
  }
  if (is_port) {
    messages.push_back(ReopenPort(slot.host_index, has_alias ? std::optional("") : std::nullopt));
  } else if (has_alias) {
    LinkChange nobodys;
    nobodys.alias = "";
    messages.push_back(SetLink(slot.host_index, nobodys));
  }
  return messages;
}

}  // namespace vulcan

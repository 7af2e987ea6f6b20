#include "engine/slot_proof.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "engine/tracked_connections.h"
#include "nft/conntrack.h"
#include "sys/holders.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

[[nodiscard]] Error Inhabited(int errnum, const std::string& why) {
  return Error(errnum, "readlink", why).Why(Reason::kSlotSpoilt);
}

// Nobody has connections of such a one.
[[nodiscard]] bool IsUnspecified(const IpAddress& address) {
  return std::ranges::all_of(address.Bytes(), [](std::byte each) { return each == std::byte{0}; });
}

// Whom its VM could say it was: the next one has the same MAC, and so the same link-local address.
[[nodiscard]] std::vector<IpAddress> IdentitiesOf(const Slot& slot) {
  std::vector<IpAddress> its;
  for (const ReservedAddress& each : slot.addresses) its.push_back(each.address);
  for (const IpAddress& each : slot.interface.guard_addresses) {
    if (!IsUnspecified(each)) its.push_back(each);
  }
  return its;
}

// EnterSlots does what is left.
void ForgetConnectionsOfAll(const std::vector<std::shared_ptr<Slot>>& slots,
                            std::vector<std::optional<Error>>& against) {
  std::vector<IpAddress> addresses;
  for (const auto& slot : slots) std::ranges::copy(IdentitiesOf(*slot), std::back_inserter(addresses));
  Conntrack conntrack;
  const auto [left, busy] = ForgetTogether(conntrack, addresses);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = *slots[i];
    slot.tracked.clear();
    for (const ReservedAddress& each : slot.addresses) {
      if (std::ranges::find(left, each.address) != left.end()) slot.tracked.push_back(each.address);
    }
    const auto its = IdentitiesOf(slot);
    const auto found = std::ranges::find_first_of(its, busy);
    if (found != its.end() && !against[i]) {
      against[i] = AlwaysNewConnections(*found).Why(Reason::kSlotSpoilt);
    }
  }
}

// What speaks against all of them.
void ProveOutside(const std::vector<std::shared_ptr<Slot>>& slots, std::vector<std::optional<Error>>& against,
                  const Cancellation& cancellation) {
  const InhabitedNamespaces inhabited = ReadInhabitedNamespaces(cancellation);
  if (inhabited.unread != 0) {
    throw Inhabited(inhabited.unread, "not every process can be looked at");
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (inhabited.inodes.contains(IdOfNamespace(slots[i]->ns.Get()).inode)) {
      against[i] = Inhabited(EBUSY, "a process is in the namespace");
    }
  }
  ForgetConnectionsOfAll(slots, against);
}

}  // namespace

SlotProofs ProveSlots(const std::vector<std::shared_ptr<Slot>>& slots, const Cancellation& cancellation) {
  SlotProofs proofs{std::vector<std::optional<Error>>(slots.size())};
  if (slots.empty()) return proofs;
  try {
    const auto begin = Clock::now();
    ProveOutside(slots, proofs.against, cancellation);
    proofs.reading = Clock::now() - begin;
  } catch (...) {
    for (auto& each : proofs.against) each = CurrentError();
  }
  return proofs;
}

}  // namespace vulcan

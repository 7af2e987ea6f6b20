#include "engine/slot_return.h"

#include <linux/if_bridge.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "engine/attachment_parts.h"
#include "engine/slot_addresses.h"
#include "netlink/bridge_port.h"
#include "netlink/link_change.h"
#include "sys/anchor.h"
#include "sys/descriptors.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

[[nodiscard]] AttachmentLocks LocksOf(const Slot& slot, const SlotVm& vm, std::chrono::milliseconds timeout) {
  return {slot.places.locks, vm.lock, "", slot.places.network_lock, timeout};
}

}  // namespace

SlotReturn::SlotReturn(SlotReturnPlan plan, SlotHost& host)
    : plan_(std::move(plan)),
      vm_(plan_.slot->vm.value()),
      host_(host),
      lock_(LocksOf(*plan_.slot, vm_, plan_.timeout), LockFile::kPresent),
      store_request_(plan_.slot->address_directory, plan_.timeout) {}

Progress<SlotReturned> SlotReturn::Step(const Cancellation& cancellation) {
  try {
    return Advance(cancellation);
  } catch (...) {
    Error error = CurrentError();
    if (error.Step().empty()) error.At(step_);
    undo_.Unwind(error);
    store_.reset();
    throw error;
  }
}

Progress<SlotReturned> SlotReturn::Advance(const Cancellation& cancellation) {
  if (!cut_) {
    clock_.Begin("lock");
    if (auto wait = lock_.Acquire(cancellation)) return std::move(*wait);
    if (IsStale()) {
      lock_.RemoveUnclaimed();
      return SlotReturned{true, clock_.End()};
    }
    Begin("cut");
    Cut();
    cut_ = true;
    Begin("anchor");
    TakeNamespace();
  }
  Begin("address");
  if (auto wait = TakeAddresses()) return std::move(*wait);
  Begin("record");
  Forget();
  store_.reset();
  return SlotReturned{false, clock_.End()};
}

void SlotReturn::Begin(const char* step) {
  step_ = step;
  clock_.Begin(step);
}

bool SlotReturn::IsStale() {
  Begin("record");
  records_ = Directory::OpenIfPresent(plan_.slot->places.records);
  return !records_ || VersionOf(*records_, vm_.record) != vm_.record_version;
}

void SlotReturn::Cut() {
  const Slot& slot = *plan_.slot;
  if (host_.Links().IndexOf(slot.host_link) != slot.host_index) {
    throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(slot.host_link).Why(Reason::kSlotSpoilt);
  }
  if (IsPort(slot.interface)) return DisablePort();
  // Its routes go with it.
  LinkChange nobodys;
  nobodys.up = false;
  if (plan_.labelled) nobodys.alias = "";
  host_.Links().Request(SetLink(slot.host_index, nobodys));
}

// The state is set in a fraction of the time that CutPort takes, of which a caller waits for nothing: until
// the slot is another's, its guard and its addresses stay, and CutSlots makes the cut last.
void SlotReturn::DisablePort() {
  const Slot& slot = *plan_.slot;
  // One that is not the network's own may snoop, and forgets the groups of ports that are cut alone.
  if (!slot.interface.bridge_up) {
    const auto alias = plan_.labelled ? std::optional<std::string_view>("") : std::nullopt;
    return host_.Links().Request(CutPort(slot.host_index, alias));
  }
  RtnlBatch batch;
  if (plan_.labelled) {
    // Before the state, as the bridge would enable the port again.
    LinkChange nobodys;
    nobodys.alias = "";
    batch.Add(SetLink(slot.host_index, nobodys));
  }
  batch.Add(SetPortState(slot.host_index, BR_STATE_DISABLED));
  for (const auto& failure : host_.Links().Send(std::move(batch), Retry::kNever)) {
    if (!failure) continue;
    if (failure->Errnum() != EBUSY) throw Error(*failure);
    // The state is that of the bridge's protocol.
    host_.Links().Request(CutPort(slot.host_index, ""));
  }
}

void SlotReturn::TakeNamespace() {
  const std::string& anchors = plan_.slot->places.anchors;
  UniqueFd ns = OpenNamespace(anchors + "/" + vm_.anchor);
  RefuseOwnersDescriptor(ns.Get());
  if (lock_.Vm().ReadClaim().netns != IdOfNamespace(ns.Get())) {
    throw Error(EEXIST, "open").Path(vm_.anchor).Why(Reason::kSlotSpoilt);
  }
  RemoveAnchor(anchors, vm_.anchor, lock_.Vm(), AnchorOwner::kLock);
  plan_.slot->ns = std::move(ns);
  undo_.Push([this] { plan_.slot->ns.Reset(); });
}

std::optional<Wait> SlotReturn::TakeAddresses() {
  auto progress = store_request_.TryBriefly(never_);
  if (progress.wait) return std::move(progress.wait);
  store_ = std::move(progress.result);
  HandAddresses(*store_, *plan_.slot, vm_.owner, plan_.slot->owner, "the address is no longer the VM's",
                undo_);
  return std::nullopt;
}

// The last step: from then on the VM is gone.
void SlotReturn::Forget() {
  RemoveFile(*records_, vm_.record);
  lock_.Vm().RemoveFile();
  plan_.slot->vm.reset();
}

}  // namespace vulcan

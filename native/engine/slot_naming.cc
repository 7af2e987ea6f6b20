#include "engine/slot_naming.h"

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "engine/attachment_links.h"
#include "engine/attachment_parts.h"
#include "engine/guard.h"
#include "engine/record_text.h"
#include "engine/slot_addresses.h"
#include "sys/anchor.h"

namespace vulcan {

SlotNaming::SlotNaming(SlotNamingPlan plan, SlotHost& host)
    : plan_(std::move(plan)),
      host_(host),
      lock_(plan_.locks, LockFile::kAbsent),
      store_request_(plan_.slot->address_directory, plan_.locks.timeout) {
  undo_.Push([this] { lock_.RemoveNew(); });
}

Progress<SlotNamed> SlotNaming::Step(const Cancellation& cancellation) {
  try {
    return Advance(cancellation);
  } catch (...) {
    Error error = CurrentError();
    if (error.Step().empty()) error.At(step_);
    undo_.Unwind(error);
    record_.reset();
    store_.reset();
    throw error;
  }
}

Progress<SlotNamed> SlotNaming::Advance(const Cancellation& cancellation) {
  if (!checked_) clock_.Begin("lock");
  if (auto wait = lock_.Acquire(cancellation)) return std::move(*wait);
  if (!checked_) {
    places_ = RefuseExisting(plan_.record, plan_.anchor, lock_.Vm());
    lock_.NameContainer();
    checked_ = true;
    CheckSlot(cancellation);
    NameSlot(cancellation);
  }
  if (auto wait = OpenStore(cancellation)) {
    waited_ = true;
    return std::move(*wait);
  }
  if (waited_) CheckSlot(cancellation);
  return Publish(cancellation);
}

// Others wait for the store: it is taken for the last steps alone. With it the slot has lost its address.
std::optional<Wait> SlotNaming::OpenStore(const Cancellation& cancellation) {
  step_ = "lock";
  clock_.Begin("address");
  cancellation.ThrowIfCancelled();
  try {
    auto store = store_request_.TryBriefly(cancellation);
    store_ = std::move(store.result);
    return std::move(store.wait);
  } catch (Error& error) {
    if (error.GetReason() != Reason::kStoreMissing) throw;
    throw error.Why(Reason::kSlotSpoilt).At("address");
  }
}

void SlotNaming::Begin(const char* step, const Cancellation& cancellation) {
  step_ = step;
  clock_.Begin(step);
  cancellation.ThrowIfCancelled();
}

void SlotNaming::CheckSlot(const Cancellation& cancellation) {
  Begin("slot", cancellation);
  CheckLinks();
  CheckRuleset(cancellation);
}

void SlotNaming::NameSlot(const Cancellation& cancellation) {
  Begin("record", cancellation);
  record_.emplace(WriteRecord(places_, plan_.record, WithNames(plan_.slot->record_text, plan_.locks)));
  Begin("anchor", cancellation);
  const Directory& anchors = AnchorsOf(places_, plan_.anchor, cancellation);
  static_cast<void>(NameNamespace(anchors, plan_.anchor.name, lock_.Vm(), plan_.slot->ns.Get()));
  undo_.Push([this] { RemoveAnchor(plan_.anchor.directory, plan_.anchor.name, lock_.Vm()); });
}

SlotNamed SlotNaming::Publish(const Cancellation& cancellation) {
  Begin("address", cancellation);
  HandAddresses(*store_, *plan_.slot, plan_.slot->owner, plan_.owner, "the address is no longer the pool's",
                undo_);
  if (plan_.slot->host_routes) {
    Begin("route", cancellation);
    NeedRoutes();
  }
  Begin("record", cancellation);
  SlotVm vm{plan_.locks.vm, plan_.anchor.name, plan_.record.name, record_->Version(), plan_.owner};
  record_->Publish(plan_.record.name);
  store_.reset();
  plan_.slot->vm = std::move(vm);
  plan_.slot->was_vms = true;
  // The anchor refers to the namespace from now on.
  spent_ = std::move(plan_.slot->ns);
  return {record_->Version(), clock_.End()};
}

// A bridge that was made again has other ports; to one that is down no route leads.
void SlotNaming::CheckLinks() {
  const Slot& slot = *plan_.slot;
  const auto check = [this](const std::string& link, int index) {
    if (host_.Links().IndexOf(link) == index) return;
    throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(link).Why(Reason::kSlotSpoilt);
  };
  check(slot.host_link, slot.host_index);
  check(slot.interface.bridge, slot.bridge_index);
  if (!slot.interface.bridge_up || host_.Links().IsUp(slot.interface.bridge)) return;
  throw Error(ENETDOWN, "ioctl(SIOCGIFFLAGS)").Path(slot.interface.bridge).Why(Reason::kSlotSpoilt);
}

// Of addresses that are the VM's by now: one that is somebody else's keeps its route.
void SlotNaming::NeedRoutes() {
  const Slot& slot = *plan_.slot;
  try {
    NeedHostRoutes(host_.Links(), IsPort(slot.interface) ? slot.bridge_index : slot.host_index,
                   slot.addresses);
  } catch (Error& error) {
    // The link is down, or has gone.
    if (error.Errnum() == ENETDOWN || error.Errnum() == ENODEV) error.Why(Reason::kSlotSpoilt);
    throw error.Path(slot.host_link);
  }
}

// The generation is asked for first: what changes while it is looked at begins another.
void SlotNaming::CheckRuleset(const Cancellation& cancellation) {
  const Slot& slot = *plan_.slot;
  if (!slot.guard && !plan_.firewall) return;
  Reliance reliance{plan_.firewall, EntranceOf(slot.interface), std::nullopt};
  if (slot.guard) reliance.guard = slot.guard_tables;
  const std::uint32_t generation = host_.Nft().Generation();
  if (host_.Ruleset().Has(generation, reliance)) return;
  CheckGuard();
  Begin("firewall", cancellation);
  RequireFirewall(host_.Nft(), plan_.firewall, slot.interface);
  host_.Ruleset().Found(generation, std::move(reliance));
}

void SlotNaming::CheckGuard() {
  const Slot& slot = *plan_.slot;
  if (!slot.guard) return;
  const guard::TableHandles tables = guard::HandlesOf(host_.Nft(), slot.guard->routed);
  if (!tables.empty() && tables == slot.guard_tables) return;
  throw Error(ENOENT, "NFT_MSG_GETTABLE", "somebody has deleted the table that guards it")
      .Path(slot.host_link)
      .Why(Reason::kSlotSpoilt);
}

}  // namespace vulcan

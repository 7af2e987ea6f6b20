#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/step_clock.h"
#include "base/undo.h"
#include "base/unique_fd.h"
#include "base/wait.h"
#include "engine/attachment_lock.h"
#include "engine/attachment_parts.h"
#include "engine/attachment_plan.h"
#include "engine/slot.h"
#include "engine/slot_host.h"
#include "sys/file_store.h"

namespace vulcan {

struct SlotNamingPlan {
  std::shared_ptr<Slot> slot;
  AttachmentLocks locks;
  // As in an AttachPlan.
  std::optional<firewall::Need> firewall;
  FileName anchor;
  FileName record;
  // Of the addresses, from then on.
  std::string owner;
};

struct SlotNamed {
  FileVersion record;
  std::vector<StepTime> steps;
};

// Makes a slot the attachment of a VM: all or nothing, and without RTNL, unless a route of it has gone. The
// record gets its name last; from then on cancelling has lost. Until step "record" nothing of the slot has
// been touched; an error at step "lock" or "firewall" may come later, too, and the slot is as it was unless
// the undo failed.
class SlotNaming {
 public:
  SlotNaming(SlotNamingPlan plan, SlotHost& host);

  // Waits for locks only.
  [[nodiscard]] Progress<SlotNamed> Step(const Cancellation& cancellation);

 private:
  [[nodiscard]] Progress<SlotNamed> Advance(const Cancellation& cancellation);
  [[nodiscard]] std::optional<Wait> OpenStore(const Cancellation& cancellation);
  void CheckSlot(const Cancellation& cancellation);
  void NameSlot(const Cancellation& cancellation);
  // With the store, which must be there for the undo.
  [[nodiscard]] SlotNamed Publish(const Cancellation& cancellation);
  void Begin(const char* step, const Cancellation& cancellation);
  // ENODEV with reason kSlotSpoilt where somebody has removed it.
  void CheckLinks();
  // The host's own to the slot, where it has any.
  void NeedRoutes();
  // What the host's ruleset is to have, unless it is known to.
  void CheckRuleset(const Cancellation& cancellation);
  // ENOENT with reason kSlotSpoilt where what guarded it is gone, whatever is in its place.
  void CheckGuard();

  SlotNamingPlan plan_;
  SlotHost& host_;
  AttachmentLock lock_;
  AddressStoreRequest store_request_;
  std::optional<AddressStore> store_;
  Places places_;
  std::optional<UnpublishedFile> record_;
  // Closed with the rest, once the caller knows.
  UniqueFd spent_;
  UndoStack undo_;
  const char* step_ = "lock";
  // What comes before the first step is the wait for its turn.
  StepClock clock_{"queue"};
  bool checked_ = false;
  // For the store, since the slot was looked at.
  bool waited_ = false;
};

}  // namespace vulcan

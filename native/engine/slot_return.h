#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/step_clock.h"
#include "base/undo.h"
#include "base/wait.h"
#include "engine/attachment_lock.h"
#include "engine/slot.h"
#include "engine/slot_host.h"

namespace vulcan {

struct SlotReturnPlan {
  // Must be a VM's.
  std::shared_ptr<Slot> slot;
  std::chrono::milliseconds timeout{};
  // Whether its link may say whose it is.
  bool labelled = true;
};

struct SlotReturned {
  // Another file had the record's name, or none: nothing was done.
  bool stale = false;
  std::vector<StepTime> steps;
};

// Cuts the VM off and removes everything under its name, but keeps the slot, which with its addresses is its
// first owner's again, cut off and unproven. Like a Detach where it fails: the VM is cut off, or everything
// is as it was, and a Detach does the rest.
class SlotReturn {
 public:
  SlotReturn(SlotReturnPlan plan, SlotHost& host);

  // Waits for locks only.
  [[nodiscard]] Progress<SlotReturned> Step(const Cancellation& cancellation);

 private:
  [[nodiscard]] Progress<SlotReturned> Advance(const Cancellation& cancellation);
  [[nodiscard]] bool IsStale();
  void Begin(const char* step);
  // A link without a name is bare from then on: whoever reads the host takes it for nobody's.
  void Cut();
  void DisablePort();
  void TakeNamespace();
  [[nodiscard]] std::optional<Wait> TakeAddresses();
  void Forget();

  SlotReturnPlan plan_;
  SlotVm vm_;
  SlotHost& host_;
  AttachmentLock lock_;
  AddressStoreRequest store_request_;
  // As long as a wait for the store may go on, which has its descriptor.
  Cancellation never_;
  std::optional<AddressStore> store_;
  std::optional<Directory> records_;
  UndoStack undo_;
  const char* step_ = "lock";
  // What comes before the first step is the wait for its turn.
  StepClock clock_{"queue"};
  bool cut_ = false;
};

}  // namespace vulcan

#pragma once

#include <optional>
#include <string>

#include "base/cancellation.h"
#include "base/step_clock.h"
#include "base/undo.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/attachment_lock.h"
#include "engine/attachment_parts.h"
#include "engine/attachment_plan.h"
#include "engine/namespace_source.h"
#include "sys/file_store.h"

namespace vulcan {

// One attachment from nothing to its record, or nothing at all: whatever fails, and wherever it is cancelled,
// everything before is taken back. The record gets its name last; from then on cancelling has lost.
class Attach {
 public:
  Attach(AttachPlan plan, AttachmentHost& host);

  // Waits for locks only; from then on it goes through, unless it fails: the undo waits for the address
  // store.
  [[nodiscard]] Progress<AttachResult> Step(const Cancellation& cancellation);

 private:
  [[nodiscard]] Progress<AttachResult> Advance(const Cancellation& cancellation);
  [[nodiscard]] AttachResult Run(AddressStore store, const Cancellation& cancellation);
  // Looks whether it was cancelled, and remembers where an error comes from.
  void Begin(const char* step, const Cancellation& cancellation);
  void ReserveAddresses(AddressStore store);
  void PrepareRecord();
  void Guard(const Cancellation& cancellation);
  void NameAnchor(const Cancellation& cancellation);
  void SetUp();

  AttachPlan plan_;
  AttachmentHost& host_;
  AttachmentLock lock_;
  AddressStoreRequest store_request_;
  Places places_;
  UndoStack undo_;
  // From then on all is taken back.
  std::optional<Error> failure_;
  const char* step_ = "lock";
  // What comes before the first step is the wait for its turn.
  StepClock clock_{"queue"};
  bool checked_ = false;
  int bridge_ = 0;
  std::optional<NewNamespace> inside_;
  std::optional<UnpublishedFile> record_;
  AttachResult result_;
};

}  // namespace vulcan

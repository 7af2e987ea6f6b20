#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/undo.h"
#include "base/unique_fd.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/attachment_lock.h"
#include "engine/attachment_plan.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {

// One attachment from nothing to its record, or nothing at all: whatever fails, and wherever it is cancelled,
// everything before is taken back. The record comes last; once it is written, cancelling has lost.
class Attach {
 public:
  Attach(AttachPlan plan, AttachmentHost& host);

  // Waits for locks only; from then on it goes through.
  [[nodiscard]] Progress<AttachResult> Step(const Cancellation& cancellation);

 private:
  [[nodiscard]] Progress<AttachResult> Advance(const Cancellation& cancellation);
  // Looks whether it was cancelled, and remembers where an error comes from.
  void Begin(const char* step, const Cancellation& cancellation);
  void RefuseExisting();
  [[nodiscard]] AttachResult Run(AddressStore store, const Cancellation& cancellation);
  void MakeNamespace(const Directory& anchors);
  void ReserveAddresses(AddressStore store);
  void ReleaseAddresses();
  void AddLinks();
  void Guard(const Cancellation& cancellation);
  void SetUp();
  void WriteRecord();

  AttachPlan plan_;
  AttachmentHost& host_;
  AttachmentLock lock_;
  AddressStoreRequest store_request_;
  UndoStack undo_;
  const char* step_ = "lock";
  bool checked_ = false;
  bool named_ = false;
  UniqueFd netns_;
  std::optional<RtnlSocket> inside_;
  AttachResult result_;
};

}  // namespace vulcan

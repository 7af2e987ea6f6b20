#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/attachment_lock.h"
#include "engine/attachment_plan.h"
#include "netlink/rtnl_batch.h"

namespace vulcan {

struct LabelledVm {
  AttachmentLocks locks;
  FileName record;
  FileVersion record_version;
};

struct LinkLabel {
  std::string link;
  std::string alias;
  // Absent: the caller holds its lock.
  std::optional<LabelledVm> vm;
};

// Writes on many host links whose they are, past those that have gone. Lets others go first after every few.
// A bridge enables a disabled port again at any change of a link that is up (br_port_carrier_check of
// net/bridge/br_if.c): so a link is labelled under its VM's lock, and only while the VM has its record, as no
// link that was cut off is. Without the lock, or the record, the link stays as it is.
class LabelLinks {
 public:
  LabelLinks(std::vector<LinkLabel> labels, AttachmentHost& host) : labels_(std::move(labels)), host_(host) {}

  // How many have gone. Waits for locks only. What the first of those met that failed, once the others are
  // labelled.
  [[nodiscard]] Progress<int> Step(const Cancellation& cancellation);

 private:
  // What is waited for before the next label, with the locks of those that `batch` has.
  [[nodiscard]] std::optional<Wait> Gather(RtnlBatch& batch, std::vector<AttachmentLock>& held,
                                           const Cancellation& cancellation);
  void Fail(const Error& error);
  // Whether the next label may be written; its lock is in `lock_` then.
  [[nodiscard]] Progress<bool> Judge(const Cancellation& cancellation);

  std::vector<LinkLabel> labels_;
  AttachmentHost& host_;
  std::optional<AttachmentLock> lock_;
  std::size_t next_ = 0;
  int gone_ = 0;
  std::optional<Error> failure_;
};

}  // namespace vulcan

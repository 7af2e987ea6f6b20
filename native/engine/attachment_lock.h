#pragma once

#include <optional>
#include <string>

#include "base/cancellation.h"
#include "base/wait.h"
#include "engine/attachment_plan.h"
#include "sys/address_store.h"
#include "sys/lock.h"

namespace vulcan {

// The locks of one attachment, in the order in which everybody takes them: the network's (shared), the VM's,
// and the address store's last, as others wait for it. gc holds the network's alone and then takes a VM's.
class AttachmentLock {
 public:
  // `likely`: of the VM's, which is there while it has an attachment.
  AttachmentLock(const AttachmentLocks& plan, LockFile likely);

  // Empty: both are held.
  [[nodiscard]] std::optional<Wait> Acquire(const Cancellation& cancellation);

  [[nodiscard]] Lock& Vm() { return *vm_; }
  // Before anything is made of an attachment that has another id than the VM: by it recovery knows what that
  // has.
  void NameContainer();
  // The VM's lock file, unless it says whose a namespace is, or what somebody has left. Whoever waits for the
  // lock finds a new one.
  void RemoveUnclaimed();
  // The same, of a file that was not there before: one that was leads to what a killed process has left.
  void RemoveNew();

 private:
  std::string directory_;
  std::string container_;
  LockRequest vm_request_;
  std::optional<LockRequest> network_request_;
  std::optional<Lock> vm_;
  std::optional<Lock> network_;
  bool named_ = false;
};

}  // namespace vulcan

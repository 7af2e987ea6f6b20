#pragma once

#include <optional>
#include <string>

#include "base/cancellation.h"
#include "base/wait.h"
#include "engine/attachment_plan.h"
#include "sys/address_store.h"
#include "sys/lock.h"

namespace vulcan {

// The locks of one attachment, in the order in which everybody takes them: the VM's, the network's (shared),
// and the address store's last, as others wait for it.
class AttachmentLock {
 public:
  explicit AttachmentLock(const AttachmentLocks& plan);

  // Empty: the VM's and the network's lock are held.
  [[nodiscard]] std::optional<Wait> Acquire(const Cancellation& cancellation);

  [[nodiscard]] Lock& Vm() { return *vm_; }

 private:
  LockRequest vm_request_;
  LockRequest network_request_;
  std::optional<Lock> vm_;
  std::optional<Lock> network_;
};

}  // namespace vulcan

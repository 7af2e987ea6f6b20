#include "engine/attachment_lock.h"

namespace vulcan {

AttachmentLock::AttachmentLock(const AttachmentLocks& plan)
    : vm_request_(plan.directory, plan.vm, LockMode::kExclusive, plan.timeout),
      network_request_(plan.directory, plan.network, LockMode::kShared, plan.timeout) {}

std::optional<Wait> AttachmentLock::Acquire(const Cancellation& cancellation) {
  if (!network_) {
    auto progress = network_request_.Try(cancellation);
    if (progress.wait) return std::move(progress.wait);
    network_ = std::move(progress.result);
  }
  if (!vm_) {
    auto progress = vm_request_.Try(cancellation);
    if (progress.wait) return std::move(progress.wait);
    vm_ = std::move(progress.result);
  }
  return std::nullopt;
}

void AttachmentLock::RemoveUnclaimed() {
  if (vm_ && !vm_->ReadClaim()) vm_->RemoveFile();
}

void AttachmentLock::Release() noexcept {
  network_.reset();
  vm_.reset();
}

}  // namespace vulcan

#include "engine/attachment_lock.h"

namespace vulcan {

AttachmentLock::AttachmentLock(const AttachmentLocks& plan)
    : directory_(plan.directory),
      vm_request_(plan.directory, plan.vm, LockMode::kExclusive, plan.timeout),
      network_request_(plan.network ? std::optional(LockRequest(plan.directory, *plan.network,
                                                                LockMode::kShared, plan.timeout))
                                    : std::nullopt) {}

std::optional<Wait> AttachmentLock::Acquire(const Cancellation& cancellation) {
  if (vm_) return std::nullopt;
  cancellation.ThrowIfCancelled();
  const Directory directory = Directory::Open(directory_);
  if (network_request_ && !network_) {
    auto progress = network_request_->Try(directory, cancellation);
    if (progress.wait) return std::move(progress.wait);
    network_ = std::move(progress.result);
  }
  auto progress = vm_request_.Try(directory, cancellation);
  if (progress.wait) return std::move(progress.wait);
  vm_ = std::move(progress.result);
  return std::nullopt;
}

void AttachmentLock::RemoveUnclaimed() {
  if (vm_ && !vm_->ReadClaim()) vm_->RemoveFile();
}

}  // namespace vulcan

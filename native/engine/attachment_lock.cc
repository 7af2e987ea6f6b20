#include "engine/attachment_lock.h"

namespace vulcan {

AttachmentLock::AttachmentLock(const AttachmentLocks& plan, LockFile likely)
    : directory_(plan.directory),
      container_(plan.container),
      vm_request_(plan.directory, plan.vm, LockMode::kExclusive, plan.timeout, likely),
      network_request_(plan.network ? std::optional(LockRequest(plan.directory, *plan.network,
                                                                LockMode::kShared, plan.timeout))
                                    : std::nullopt) {}

std::optional<Wait> AttachmentLock::Acquire(const Cancellation& cancellation) {
  if (vm_) return std::nullopt;
  cancellation.ThrowIfCancelled();
  const Directory directory = OpenStateDirectory(directory_);
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

void AttachmentLock::NameContainer() {
  if (container_.empty()) return;
  named_ = true;
  vm_->WriteClaim({std::nullopt, container_});
}

void AttachmentLock::RemoveUnclaimed() {
  if (!vm_) return;
  const Claim claim = vm_->ReadClaim();
  if (!claim.netns && (named_ || claim.container.empty())) vm_->RemoveFile();
}

void AttachmentLock::RemoveNew() {
  if (vm_ && vm_->IsNew()) RemoveUnclaimed();
}

}  // namespace vulcan

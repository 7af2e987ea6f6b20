#include "engine/link_labels.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "netlink/link_change.h"
#include "sys/directory.h"
#include "sys/file_store.h"

namespace vulcan {
namespace {

// The acknowledgements of so many fit into a socket.
constexpr std::size_t kLabelsAtOnce = 32;

}  // namespace

Progress<bool> LabelLinks::Judge(const Cancellation& cancellation) {
  const auto& vm = labels_[next_].vm;
  if (!vm) return true;
  if (!lock_) lock_.emplace(vm->locks, LockFile::kPresent);
  try {
    if (auto wait = lock_->Acquire(cancellation)) return std::move(*wait);
  } catch (const Error& error) {
    if (error.GetReason() != Reason::kLockHeld) throw;
    return false;
  }
  const auto records = Directory::OpenIfPresent(vm->record.directory);
  const bool stands = records && VersionOf(*records, vm->record.name) == vm->record_version;
  if (!stands) lock_->RemoveUnclaimed();
  return stands;
}

std::optional<Wait> LabelLinks::Gather(RtnlBatch& batch, std::vector<AttachmentLock>& held,
                                       const Cancellation& cancellation) {
  const std::size_t end = std::min(next_ + kLabelsAtOnce, labels_.size());
  for (; next_ < end; ++next_) {
    cancellation.ThrowIfCancelled();
    try {
      auto judged = Judge(cancellation);
      if (judged.wait) return std::move(judged.wait);
      if (*judged.result) {
        LinkChange change;
        change.alias = labels_[next_].alias;
        batch.Add(SetLink(labels_[next_].link, change));
        if (lock_) held.push_back(std::move(*lock_));
      }
    } catch (...) {
      Fail(CurrentError());
    }
    lock_.reset();
  }
  return std::nullopt;
}

void LabelLinks::Fail(const Error& error) {
  if (!failure_) failure_ = error;
}

Progress<int> LabelLinks::Step(const Cancellation& cancellation) {
  RtnlBatch batch;
  // Until the kernel has answered; none is held while another is waited for.
  std::vector<AttachmentLock> held;
  auto wait = Gather(batch, held, cancellation);
  for (const auto& error : host_.Links().Send(std::move(batch))) {
    if (!error) continue;
    if (error->Errnum() == ENODEV) {
      ++gone_;
    } else {
      Fail(*error);
    }
  }
  if (wait) return std::move(*wait);
  if (next_ < labels_.size()) return Wait{{}, Clock::now()};
  if (failure_) throw Error(*failure_);
  return gone_;
}

}  // namespace vulcan

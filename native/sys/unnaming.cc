#include "sys/unnaming.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "sys/anchor.h"
#include "sys/anchor_name.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

// What the kernel takes for the rest: who looks again and again for as long loses less than who sleeps till
// then.
constexpr std::chrono::microseconds kSoon{100};

}  // namespace

Unnaming::Unnaming(const std::string& directory, std::string name, Lock& lock, Unmounter& unmounter)
    : directory_(Directory::Open(directory)),
      name_(std::move(name)),
      lock_(lock),
      claim_(lock.ReadClaim()),
      ns_(OpenNamespace(directory_.PathOf(name_))) {
  UniqueFd root = OpenName(directory_, name_);
  // Only network namespaces are claimed, and nothing else has the number of one.
  if (!root || claim_.netns != IdOfNamespace(root.Get()) || claim_.netns != IdOfNamespace(ns_.Get())) {
    throw NameTaken(directory_, name_);
  }
  unmount_ = unmounter.Begin(std::move(root), directory_.PathOf(name_));
  soon_ = Clock::now() + kSoon;
}

std::optional<Wait> Unnaming::TryEnd() {
  const bool has_ended = unmount_->HasEnded();
  // EBUSY until the kernel has detached the mount.
  if (::unlinkat(directory_.Fd(), name_.c_str(), 0) != 0 && errno != ENOENT) {
    const Error error = SystemError("unlink", directory_.PathOf(name_));
    if (error.Errnum() != EBUSY || has_ended) throw error;
    const auto now = Clock::now();
    return now < soon_ ? Wait{{}, now} : unmount_->End();
  }
  lock_.WriteClaim({std::nullopt, claim_.container});
  return std::nullopt;
}

void Unnaming::Undo() {
  // Otherwise it has its name.
  if (!unmount_->AwaitEnd()) return;
  UnlinkName(directory_, name_);
  static_cast<void>(NameNamespace(directory_, name_, lock_, ns_.Get()));
}

}  // namespace vulcan

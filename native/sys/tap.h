#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace vulcan {

struct TapOwner {
  uid_t uid;
  gid_t gid;

  friend bool operator==(const TapOwner&, const TapOwner&) = default;
};

// All work in the calling thread's network namespace, unless they say otherwise.

// Not a TAP yet. It belongs to the namespace of the thread that opened it, and so does what another thread
// makes of it. ENOENT where there is no /dev/net/tun.
[[nodiscard]] UniqueFd OpenTun();
// Whether it could be opened now, for whom has it open from before.
void RequireTun();

// A single-queue TAP that `owner` may attach to; it is down. It goes away with this object, whatever hangs on
// it, unless it was made to persist: so whoever persists it last leaves nothing behind when killed before.
class Tap {
 public:
  // An empty name lets the kernel choose one ("tap0"), and so does a pattern ("vm%d"). EEXIST when any link
  // has the name.
  Tap(const std::string& name, const TapOwner& owner);

  [[nodiscard]] const std::string& Name() const noexcept { return name_; }
  [[nodiscard]] const TapOwner& Owner() const noexcept { return owner_; }
  // These by any thread.
  void GiveTo(const TapOwner& owner);
  void Persist();

 private:
  UniqueFd tun_;
  std::string name_;
  TapOwner owner_;
};

// A persistent, single-queue TAP that `owner` may attach to. It is down, and no descriptor of it stays open:
// while one does, a VMM gets EBUSY. EEXIST when any link has the name.
void CreateTap(const std::string& name, const TapOwner& owner);
// In the namespace that `tun` belongs to; closes it. A name that is taken is EBUSY or EINVAL.
void CreateTap(UniqueFd tun, const std::string& name, const TapOwner& owner);

// Gives a TAP that is there to another. EBUSY while a VMM is attached.
void ChangeTapOwner(const std::string& name, const TapOwner& owner);

// What VMMs have done to a TAP that is there, by a descriptor of its namespace that is nobody's yet: header
// size, send buffer, offloads, filters, owner. Closes it. EBUSY while a VMM is attached.
void ResetTap(UniqueFd tun, const std::string& name, const TapOwner& owner);

// Whether there was one. Reason kWrongKind when a link of another kind has the name; EBUSY while a VMM is
// attached.
bool RemoveTap(const std::string& name);

}  // namespace vulcan

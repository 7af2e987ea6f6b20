#pragma once

#include <sys/types.h>

#include <string>

namespace vulcan {

struct TapOwner {
  uid_t uid;
  gid_t gid;
};

// Both work in the calling thread's network namespace.

// A persistent, single-queue TAP that `owner` may attach to. It is down, and no descriptor of it stays open:
// while one does, a VMM gets EBUSY. EEXIST when any link has the name.
void CreateTap(const std::string& name, const TapOwner& owner);

// Whether there was one. Reason kWrongKind when a link of another kind has the name; EBUSY while a VMM is
// attached.
bool RemoveTap(const std::string& name);

}  // namespace vulcan

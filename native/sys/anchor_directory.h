#pragma once

#include <string>

#include "base/cancellation.h"
#include "sys/directory.h"

namespace vulcan {

// The directory of anchors, made if it is missing: a mount of its own, shared, so that names made and removed
// here are made and removed in every other mount namespace.
[[nodiscard]] Directory OpenAnchorDirectory(const std::string& path, const Cancellation& cancellation);

struct MountState {
  // Whether this process's mount namespace is pid 1's.
  bool host_mount_namespace;
  // Whether names made in `path` are made outside as well: in pid 1's mount namespace, or, where that is this
  // process's own, in any other that has it from there.
  bool shared;
};
[[nodiscard]] MountState GetMountState(const std::string& path);

}  // namespace vulcan

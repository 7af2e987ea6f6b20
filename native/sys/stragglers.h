#pragma once

#include "base/unique_fd.h"

namespace vulcan {

// Children that SIGKILL did not end in time: they sleep in the kernel, or a debugger holds them. Each is a
// zombie until the next program is started, and no longer. From any thread.
void AddStraggler(UniqueFd pidfd) noexcept;
void ReapStragglers() noexcept;

}  // namespace vulcan

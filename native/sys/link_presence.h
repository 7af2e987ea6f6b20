#pragma once

#include <string>

namespace vulcan {

// Whether the network namespace of the calling thread has the link. For names that it may well not have: the
// ioctls that take a name start modprobe for such a one, twice, and wait for it (dev_load of
// net/core/dev_ioctl.c).
[[nodiscard]] bool IsLinkPresent(const std::string& name);

// Whether the kernel has IPv6 for links: not with ipv6.disable=1, and then it refuses its attributes.
[[nodiscard]] bool HasIpv6();

}  // namespace vulcan

#pragma once

#include <vector>

#include "base/ip_address.h"

namespace vulcan {

// Which of the addresses begin or answer connections that the calling thread's network namespace tracks; all
// of them where the kernel does not list its connections (CONFIG_NF_CONNTRACK_PROCFS), or not to us.
[[nodiscard]] std::vector<IpAddress> TrackedOf(const std::vector<IpAddress>& addresses);

}  // namespace vulcan

#pragma once

#include <chrono>

#include "base/ip_address.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

// How long the host waits before it answers ARP on the link for somebody else.
[[nodiscard]] RtnlMessage SetProxyDelay(int link, std::chrono::milliseconds delay);

// ENOENT where nobody knows the address.
[[nodiscard]] RtnlMessage DelNeighbour(int link, const IpAddress& address);

}  // namespace vulcan

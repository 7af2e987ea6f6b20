#pragma once

#include <chrono>

#include "netlink/rtnl_message.h"

namespace vulcan {

// How long the host waits before it answers ARP on the link for somebody else.
[[nodiscard]] RtnlMessage SetProxyDelay(int link, std::chrono::milliseconds delay);

}  // namespace vulcan

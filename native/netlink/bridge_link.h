#pragma once

#include <string_view>

#include "netlink/mac_address.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

// A new bridge, down, as the kernel makes it. EEXIST when the name is taken. The MAC of its creation stays;
// otherwise a bridge takes the lowest of its ports' and guests' ARP entries go stale. There is no MTU here:
// only one that is changed later (RTM_SETLINK) keeps the bridge from following its ports'.
[[nodiscard]] RtnlMessage NewBareBridge(std::string_view name, const MacAddress& mac);

// The same without multicast snooping and without forward delay.
[[nodiscard]] RtnlMessage NewBridge(std::string_view name, const MacAddress& mac);

}  // namespace vulcan

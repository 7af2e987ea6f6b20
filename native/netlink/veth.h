#pragma once

#include <cstdint>
#include <string>

#include "netlink/mac_address.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

// A pair of links: one here, its peer born in another namespace.
struct VethPlan {
  std::string name;
  MacAddress mac;
  // Index of the bridge to become a port of; 0: none.
  int master;
  std::string peer_name;
  MacAddress peer_mac;
  int peer_netns_fd;
  std::uint32_t mtu;
  // Of the end here, by which the firewall knows it.
  std::uint32_t group = 0;
};

// Both ends down, with one queue each. EEXIST when a name is taken, EXFULL when the bridge has no port left.
// One queue saves 200 us of a pair's birth; no traffic of a single TAP can use more. The end here has no
// transmit queue, as the bridge plugin makes it.
[[nodiscard]] RtnlMessage NewVeth(const VethPlan& plan);

}  // namespace vulcan

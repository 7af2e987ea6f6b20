#pragma once

#include <cstdint>
#include <vector>

#include "base/ip_address.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {

// An address of a link.
struct LinkAddress {
  int link = 0;
  IpPrefix prefix;
  // RT_SCOPE_*.
  int scope = 0;
};

[[nodiscard]] std::vector<LinkAddress> DumpAddresses(RtnlSocket& socket);

// IPv4 with its broadcast address, as `ip address add ... brd +` gives it. `flags` are IFA_F_*.
[[nodiscard]] RtnlMessage NewAddress(int link, const IpPrefix& prefix, std::uint8_t flags = 0);
[[nodiscard]] RtnlMessage DelAddress(int link, const IpPrefix& prefix);

}  // namespace vulcan

#pragma once

#include <optional>
#include <vector>

#include "base/ip_address.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {

struct Route {
  IpPrefix destination;
  std::optional<IpAddress> gateway;
  // 0 when it has none or several.
  int link = 0;
  std::uint32_t table = 0;
  // RTPROT_*.
  int protocol = 0;
  // RTN_*.
  int type = 0;
  // Lower wins.
  std::uint32_t metric = 0;
};

// In the main table; without a gateway the destination is on the link itself. What the bridge plugin makes of
// a route of its result.
[[nodiscard]] RtnlMessage NewRoute(int link, const IpPrefix& destination,
                                   const std::optional<IpAddress>& gateway);

// The link by which the host would send to the address; empty where it would not send. For an IPv4 address
// the kernel takes no RTNL for it.
[[nodiscard]] std::optional<int> LinkTo(RtnlSocket& socket, const IpAddress& address);

// Routes of both families from every table; entries of the route cache are left out.
[[nodiscard]] std::vector<Route> DumpRoutes(RtnlSocket& socket);

}  // namespace vulcan

#pragma once

#include <optional>
#include <string>

#include "base/ip_address.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {

// Mirrors HostRoutePlan in lib/native/attachment.ts. A route of the host's own, in its main table.
struct HostRoutePlan {
  IpPrefix destination;
  // Where its one address is; absent: what lies in the prefix, and is nobody's, can't be reached.
  std::optional<std::string> link;
  // What the host speaks to it as.
  std::optional<IpAddress> source;
};

// Whether it was not there already; one to a guest takes any other's place. ENODEV when there is no such
// link, ENETDOWN when it is down.
bool AddRoute(const HostRoutePlan& plan);

// To one guest, where another stood in the way: the place of one of ours it takes. EEXIST where it is
// somebody else's.
void ReplaceOwnRoute(RtnlSocket& socket, int link, const IpAddress& guest,
                     const std::optional<IpAddress>& source);

// Of ours; whether there was one.
[[nodiscard]] bool RemoveRoute(RtnlSocket& socket, const IpPrefix& destination);

}  // namespace vulcan

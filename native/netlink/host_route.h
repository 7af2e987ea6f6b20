#pragma once

#include <cstdint>
#include <optional>

#include "base/ip_address.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

// The protocol by which routes of ours are told from everybody else's, in the main table.
inline constexpr std::uint8_t kRouteProtocol = 118;

// What becomes of another route of the same metric to the same address, whosever it is.
enum class OtherRoute {
  kStays,  // EEXIST
  kGoes,
};

// To one guest, by the link; `source` is what the host then speaks as. The link must be up.
[[nodiscard]] RtnlMessage NewHostRoute(int link, const IpAddress& guest,
                                       const std::optional<IpAddress>& source, OtherRoute other);

// For addresses of the subnet that no guest has: without it they would lead to the host's default route, and
// the host would answer for them. EEXIST when it is there.
[[nodiscard]] RtnlMessage NewUnreachableRoute(const IpPrefix& subnet);

// Of ours, by whichever link. ESRCH when there is none.
[[nodiscard]] RtnlMessage DelRoute(const IpPrefix& destination);

}  // namespace vulcan

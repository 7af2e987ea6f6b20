#pragma once

#include <linux/netlink.h>

#include <cstdint>

#include "base/ip_address.h"

namespace vulcan::nft {

// Addresses in ctnetlink's messages. A connection has a tuple for each direction: CTA_TUPLE_ORIG,
// CTA_TUPLE_REPLY.

// Whether the address stands anywhere in the connection's tuples.
[[nodiscard]] bool HasPart(const nlmsghdr& connection, const IpAddress& address);

// Restricts a request to connections whose packets in that direction come from the address, which has to be
// one that Conntrack::IsSearchable.
void PutSourceFilter(nlmsghdr* request, std::uint16_t direction, const IpAddress& address);

}  // namespace vulcan::nft

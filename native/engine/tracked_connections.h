#pragma once

#include <vector>

#include "base/error.h"
#include "base/ip_address.h"
#include "nft/conntrack.h"

namespace vulcan {

struct TrackedConnections {
  // IPv4 addresses, which are to be searched for one by one (Conntrack::TryRemove).
  std::vector<IpAddress> left;
  // Those that always have new ones.
  std::vector<IpAddress> busy;
};

// Forgets what the host tracks of these addresses, where that takes less for all of them at once.
[[nodiscard]] TrackedConnections ForgetTogether(Conntrack& conntrack,
                                                const std::vector<IpAddress>& addresses);

// EBUSY.
[[nodiscard]] Error AlwaysNewConnections(const IpAddress& address);

}  // namespace vulcan

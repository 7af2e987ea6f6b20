#pragma once

#include <vector>

#include "base/ip_address.h"
#include "nft/conntrack.h"

namespace vulcan {

// Forgets what the host tracks of these addresses, where that takes less for all of them at once. Those that
// are left are to be searched for one by one (Conntrack::TryRemove); they are IPv4 addresses.
[[nodiscard]] std::vector<IpAddress> ForgetTogether(Conntrack& conntrack,
                                                    const std::vector<IpAddress>& addresses);

}  // namespace vulcan

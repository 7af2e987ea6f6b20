#pragma once

#include <optional>

namespace vulcan {

// Whether chain FORWARD of the old iptables drops what meets none of its conditions; nothing when its table
// `filter` is not in use. IPv4 only. Looking never creates the table.
[[nodiscard]] std::optional<bool> LegacyForwardDrops();

}  // namespace vulcan

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace vulcan {

// Whether chain FORWARD of the old iptables drops what meets none of its conditions; nothing when its table
// `filter` is not in use. IPv4 only. Looking never creates the table.
[[nodiscard]] std::optional<bool> LegacyForwardDrops();

// The same of a table's entries as the kernel hands them out: from `chain` on, or, if nothing there decides,
// from the chain's last entry.
[[nodiscard]] bool LegacyRulesDrop(std::vector<std::byte> entries, std::size_t chain, std::size_t last);

}  // namespace vulcan

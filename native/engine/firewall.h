#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "engine/firewall_elements.h"
#include "nft/socket.h"

// The firewall table of the calling thread's network namespace. Any number of processes may change it at
// once.
namespace vulcan::firewall {

// The table, each of its rules once, and exactly these elements of the network: one transaction. The handle
// of the table that has them: what anybody makes in its place later has another. EEXIST with reason
// network-conflict or, when a table of that name is not ours, foreign.
[[nodiscard]] std::uint64_t Ensure(const Network& network, const Cancellation& cancellation);

// The network's elements; the table too when no network is left in it. Absent is fine.
void Remove(const std::string& network, const Cancellation& cancellation);

// What of the table is not as Ensure would leave it: "table", "rules" or "elements". A table of a newer
// layout may have other rules.
[[nodiscard]] std::vector<std::string> Check(const Network& network, const Cancellation& cancellation);

// Names of the networks that have elements, sorted.
[[nodiscard]] std::vector<std::string> List(const Cancellation& cancellation);

}  // namespace vulcan::firewall

#pragma once

#include <string>
#include <vector>

#include "nft/batch.h"
#include "nft/set.h"
#include "nft/table.h"

// The one table, `inet vulcan`. Its rules are constant; what depends on networks is in its sets. Every
// element's comment is the name of the network that it belongs to.
namespace vulcan::firewall {

// Raised when rules or sets change. A table of an older layout is rebuilt, with all its elements; one of a
// newer layout keeps its rules, and only elements are changed. Therefore a set never changes the meaning of
// its name or key.
inline constexpr int kLayout = 5;

[[nodiscard]] const nft::Table& VulcanTable();

// The comment that says which layout a table has.
[[nodiscard]] std::string LayoutComment();
// 0 when a table of this comment is not ours.
[[nodiscard]] int ParseLayout(const std::string& comment);

// Links through which guests come.
inline constexpr const char* kBridges = "bridges";
// Subnets of all networks, to find overlaps.
inline constexpr const char* kSubnets4 = "subnets4";
inline constexpr const char* kSubnets6 = "subnets6";
// Subnets that are masqueraded.
inline constexpr const char* kMasquerade4 = "masquerade4";
inline constexpr const char* kMasquerade6 = "masquerade6";
// link . address: gateways that answer their own guests' pings.
inline constexpr const char* kGateways4 = "gateways4";
inline constexpr const char* kGateways6 = "gateways6";
// Links whose guests reach every service of the host.
inline constexpr const char* kHostOpen = "host_open";
// link . protocol . port: services of the host that guests reach.
inline constexpr const char* kHostPorts = "host_ports";
// Links whose guests may speak to 169.254.0.0/16.
inline constexpr const char* kLinkLocal = "link_local";
// Links whose guests may speak IPv6.
inline constexpr const char* kIpv6 = "ipv6";
// Links whose guests reach no guest behind another of them, nor by way of the host one behind their own.
inline constexpr const char* kIsolated = "isolated";

// The same for links that are no ports of a bridge, which are many: by their group.
inline constexpr const char* kGroups = "groups";
inline constexpr const char* kGroupGateways4 = "group_gateways4";
inline constexpr const char* kGroupGateways6 = "group_gateways6";
inline constexpr const char* kGroupHostOpen = "group_host_open";
inline constexpr const char* kGroupHostPorts = "group_host_ports";
inline constexpr const char* kGroupLinkLocal = "group_link_local";
inline constexpr const char* kGroupIpv6 = "group_ipv6";
inline constexpr const char* kGroupIsolated = "group_isolated";

[[nodiscard]] const std::vector<nft::Set>& Sets();

// The table, its sets and chains, and each rule once, whatever was there.
void AddLayout(nft::Batch& batch);

}  // namespace vulcan::firewall

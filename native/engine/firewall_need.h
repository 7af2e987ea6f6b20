#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "nft/socket.h"

namespace vulcan::firewall {

// What guests come through: a bridge, or links of a group that are routed to.
using Entrance = std::variant<std::string, std::uint32_t>;

// Mirrors FirewallNeed in lib/native/attachment.ts.
struct Need {
  // The handle of the table.
  std::uint64_t table = 0;
  std::string network;

  friend bool operator==(const Need&, const Need&) = default;
};

// That each of the entrances is an element of the network's in the table. Else ENOENT: with reason
// kFirewallGone where the table is not the one of that handle, with kFirewallBare where it is. Without
// entrances it is the table alone.
void Require(nft::Socket& socket, const Need& need, const std::vector<Entrance>& entrances);

}  // namespace vulcan::firewall

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nft/element.h"

namespace vulcan::firewall {

struct Service {
  std::uint8_t protocol;
  std::uint16_t port;
};

// Mirrors FirewallNetwork in lib/native/engine.ts.
struct Network {
  // Owner of every element.
  std::string name;
  std::vector<std::string> bridges;
  // Of links that are routed to.
  std::optional<std::uint32_t> group;
  // CIDR, either family.
  std::vector<std::string> subnets;
  std::vector<std::string> gateways;
  bool masquerade = true;
  bool allow_link_local = false;
  bool ipv6 = false;
  bool isolated = false;
  // Every service of the host; `services` is then of no effect.
  bool host_open = false;
  std::vector<Service> services;
};

// By name of the set.
using Elements = std::map<std::string, std::vector<nft::Element>>;

// What the network wants in the sets. EINVAL for an address or a link name that is none.
[[nodiscard]] Elements ElementsOf(const Network& network);

// Throws EEXIST (network-conflict) with the name of the other network when a bridge of `wanted` belongs to
// it, or when subnets overlap.
void ThrowIfConflict(const Elements& present, const Elements& wanted, const std::string& owner);

}  // namespace vulcan::firewall

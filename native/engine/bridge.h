#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/ip_address.h"
#include "netlink/mac_address.h"

namespace vulcan {

// Mirrors BridgePlan in lib/native/engine.ts.
struct BridgePlan {
  std::string name;
  MacAddress mac{};
  // 0: the kernel's default.
  std::uint32_t mtu = 0;
  std::vector<IpPrefix> addresses;
  bool ipv6 = false;
  // Whether it takes frames that are for none of its addresses.
  bool promiscuous = false;
  // Whether the host answers for guests of other bridges, at once.
  bool proxy_arp = false;
  // Whether it is for others to set up: made as the kernel makes it, and left its IPv6.
  bool bare = false;
};

struct BridgeState {
  bool created = false;
  // Of a bridge that was there before, it may differ from the plan's: ports and guests know it already.
  std::string mac;
  std::uint32_t mtu = 0;
};

// Creates the bridge or makes an existing one fit, in the calling thread's network namespace; idempotent,
// also among processes. EEXIST with reason kWrongKind or kAddressConflict when what has the name is not to be
// touched. What was created or added is taken back when a later step fails.
[[nodiscard]] BridgeState EnsureBridge(const BridgePlan& plan, const Cancellation& cancellation);

}  // namespace vulcan

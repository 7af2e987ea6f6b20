#pragma once

#include <cstddef>
#include <string_view>

#include "netlink/rtnl_message.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {

// What a bridge may have at most (BR_MAX_PORTS - 1 of net/bridge/br_private.h: the first number is no
// port's).
inline constexpr std::size_t kMaxBridgePorts = 1023;

struct BridgePortOptions {
  bool hairpin = false;
  bool isolated = false;
};

// Options of a link that is a bridge's port.
[[nodiscard]] RtnlMessage SetBridgePort(std::string_view name, const BridgePortOptions& options);

// How many ports the bridge has. The kernel walks all links of the namespace for it.
[[nodiscard]] std::size_t CountBridgePorts(RtnlSocket& socket, int bridge);

}  // namespace vulcan

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlink/rtnl_socket.h"

namespace vulcan {

// In every namespace: LOOPBACK_IFINDEX in the kernel's include/net/flow.h.
inline constexpr int kLoopback = 1;

// A network link as RTM_GETLINK tells it.
struct Link {
  int index = 0;
  std::string name;
  // "veth", "bridge", "tun"; empty for a physical device.
  std::string kind;
  std::string mac;
  std::uint32_t mtu = 0;
  bool up = false;
  bool lower_up = false;
  // Index of the bridge it is a port of, or 0.
  int master = 0;
  // Index of a veth's other end, in whatever namespace that is, or 0.
  int peer = 0;
  std::string alias;
  std::uint32_t group = 0;
  // Whether it stays without operation whatever its carrier (IF_LINK_MODE_DORMANT).
  bool dormant = false;
  // Whether it has its carrier, and the kernel has yet to say so (linkwatch, net/core/link_watch.c): until
  // then a bridge takes it for down.
  bool rising = false;
  // BR_STATE_*, or -1 when it is no bridge port.
  int port_state = -1;
  // Of a bridge port.
  bool hairpin = false;
  bool isolated = false;
  // Whether it is one for a guest (SetBridgePort, kGuestPortGroup).
  bool guest_port = false;
  // Owner of a TAP device, or -1.
  std::int64_t tap_uid = -1;
  std::int64_t tap_gid = -1;
};

[[nodiscard]] std::vector<Link> DumpLinks(RtnlSocket& socket);

// Empty when there is no such link.
[[nodiscard]] std::optional<Link> FindLink(RtnlSocket& socket, std::string_view name);
[[nodiscard]] std::optional<Link> FindLink(RtnlSocket& socket, int index);

}  // namespace vulcan

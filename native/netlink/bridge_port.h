#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

// What a port forwards of the groups that bridges keep for themselves, 01:80:c2:00:00:0X: all but PAUSE,
// which the kernel drops and has nobody ask for (BR_GROUPFWD_MACPAUSE of net/bridge/br_private.h).
inline constexpr std::uint16_t kAllGroups = 0xfffd;

// Makes a link that is a bridge's port one for a guest: frames to those groups take the way of all others.
// Left to itself, a bridge learns their source and hands them to the host as what came in on the port and no
// bridge, whatever the port's state and before its rules have seen them (br_handle_frame of
// net/bridge/br_input.c). Options that are absent stay as they are, and so does the alias.
[[nodiscard]] RtnlMessage SetBridgePort(std::string_view name,
                                        const std::optional<BridgePortOptions>& options,
                                        std::optional<std::string_view> alias = {});

// BR_STATE_*: what a bridge does with the port's frames, until the next event of its link. ENETDOWN when the
// port is down, EBUSY while the bridge runs the spanning tree protocol, EOPNOTSUPP when it is no port.
[[nodiscard]] RtnlMessage SetPortState(int index, std::uint8_t state);

// Both take effect whatever the link's carrier and the bridge's protocol; EOPNOTSUPP when it is no port. An
// alias is set with the rest, empty for none.
//
// Cuts the port off at once, and for good. A state of a port alone would not last: a bridge enables one that
// is disabled at each event of a link that is operational (br_port_carrier_check of net/bridge/br_if.c), and
// who is root at the other end of a pair makes such events by taking that end down and up. So the link is
// made dormant, and stays it with whatever carrier (IF_LINK_MODE_DORMANT, rfc2863_policy of
// net/core/link_watch.c). The mode alone is not enough: where the carrier comes back before the kernel has
// looked, the link's state is what it was.
[[nodiscard]] RtnlMessage CutPort(int index, std::optional<std::string_view> alias = {});
// Lets the port forward again, and forgets whom the bridge has heard on it.
[[nodiscard]] RtnlMessage ReopenPort(int index, std::optional<std::string_view> alias = {});

// How many ports the bridge has. The kernel walks all links of the namespace for it.
[[nodiscard]] std::size_t CountBridgePorts(RtnlSocket& socket, int bridge);

}  // namespace vulcan

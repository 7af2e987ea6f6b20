#include "netlink/bridge_port.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <optional>

#include "netlink/attributes.h"

namespace vulcan {

RtnlMessage SetBridgePort(std::string_view name, const BridgePortOptions& options) {
  RtnlMessage message(RTM_NEWLINK, 0, ifinfomsg{});
  message.PutString(IFLA_IFNAME, name).Nest(IFLA_LINKINFO, [&](RtnlMessage& info) {
    info.PutString(IFLA_INFO_SLAVE_KIND, "bridge").Nest(IFLA_INFO_SLAVE_DATA, [&](RtnlMessage& port) {
      port.PutU8(IFLA_BRPORT_MODE, options.hairpin ? 1 : 0)
          .PutU8(IFLA_BRPORT_ISOLATED, options.isolated ? 1 : 0);
    });
  });
  return message;
}

std::size_t CountBridgePorts(RtnlSocket& socket, int bridge) {
  RtnlMessage request(RTM_GETLINK, 0, ifinfomsg{});
  request.PutU32(IFLA_MASTER, static_cast<std::uint32_t>(bridge))
      .PutU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  const auto parse = [bridge](const nlmsghdr& message) -> std::optional<int> {
    const Attributes<IFLA_MASTER> attributes(message, sizeof(ifinfomsg));
    // A kernel that doesn't know the filter sends all links.
    if (attributes.U32(IFLA_MASTER) != static_cast<std::uint32_t>(bridge)) return std::nullopt;
    return bridge;
  };
  return socket.Dump(std::move(request), parse).size();
}

}  // namespace vulcan

#include "netlink/bridge_port.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <optional>

#include "netlink/attributes.h"
#include "netlink/link_state.h"

namespace vulcan {
namespace {

// The kernel tells all who listen once these have changed, whereupon the bridge looks at the port.
RtnlMessage SetOperation(int index, std::uint8_t mode, std::uint8_t state,
                         std::optional<std::string_view> alias) {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  RtnlMessage message(RTM_NEWLINK, 0, fixed);
  message.PutU8(IFLA_OPERSTATE, state).PutU8(IFLA_LINKMODE, mode);
  if (alias) message.PutString(IFLA_IFALIAS, *alias);
  return message;
}

}  // namespace

RtnlMessage SetBridgePort(std::string_view name, const std::optional<BridgePortOptions>& options,
                          std::optional<std::string_view> alias) {
  RtnlMessage message(RTM_NEWLINK, 0, ifinfomsg{});
  message.PutString(IFLA_IFNAME, name);
  if (alias) message.PutString(IFLA_IFALIAS, *alias);
  message.Nest(IFLA_LINKINFO, [&](RtnlMessage& info) {
    info.PutString(IFLA_INFO_SLAVE_KIND, "bridge").Nest(IFLA_INFO_SLAVE_DATA, [&](RtnlMessage& port) {
      port.PutU16(IFLA_BRPORT_GROUP_FWD_MASK, kAllGroups);
      if (!options) return;
      port.PutU8(IFLA_BRPORT_MODE, options->hairpin ? 1 : 0)
          .PutU8(IFLA_BRPORT_ISOLATED, options->isolated ? 1 : 0);
    });
  });
  return message;
}

RtnlMessage SetPortState(int index, std::uint8_t state) {
  ifinfomsg fixed{};
  fixed.ifi_family = AF_BRIDGE;
  fixed.ifi_index = index;
  RtnlMessage message(RTM_SETLINK, 0, fixed);
  message.Nest(IFLA_PROTINFO, [&](RtnlMessage& port) { port.PutU8(IFLA_BRPORT_STATE, state); });
  return message;
}

RtnlMessage CutPort(int index, std::optional<std::string_view> alias) {
  RtnlMessage message = SetOperation(index, kLinkModeDormant, kOperDormant, alias);
  message.Nest(IFLA_LINKINFO, [](RtnlMessage& info) {
    // Nothing that is set, but refused for a link that is no port. libnl leaves out a nest that is empty.
    info.PutString(IFLA_INFO_SLAVE_KIND, "bridge").Put(IFLA_INFO_SLAVE_DATA, nullptr, 0);
  });
  return message;
}

RtnlMessage ReopenPort(int index, std::optional<std::string_view> alias) {
  RtnlMessage message = SetOperation(index, kLinkModeDefault, kOperUp, alias);
  message.Nest(IFLA_LINKINFO, [](RtnlMessage& info) {
    info.PutString(IFLA_INFO_SLAVE_KIND, "bridge").Nest(IFLA_INFO_SLAVE_DATA, [](RtnlMessage& port) {
      port.Put(IFLA_BRPORT_FLUSH, nullptr, 0);
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

#include "netlink/link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>

#include "netlink/attributes.h"
#include "netlink/bridge_port.h"
#include "netlink/link_group.h"
#include "netlink/link_state.h"
#include "netlink/mac_address.h"

namespace vulcan {

namespace {

RtnlMessage GetLink(const ifinfomsg& fixed) {
  RtnlMessage message(RTM_GETLINK, 0, fixed);
  message.PutU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return message;
}

void ReadLinkInfo(const nlattr* nest, const Attributes<IFLA_MAX>& attributes, Link& link) {
  const Attributes<IFLA_INFO_MAX> info(nest);
  link.kind = info.String(IFLA_INFO_KIND);
  if (link.kind == "veth") link.peer = static_cast<int>(attributes.U32(IFLA_LINK));
  if (link.kind == "tun") {
    const Attributes<IFLA_TUN_MAX> tun(info.Get(IFLA_INFO_DATA));
    if (tun.Has(IFLA_TUN_OWNER)) link.tap_uid = tun.U32(IFLA_TUN_OWNER);
    if (tun.Has(IFLA_TUN_GROUP)) link.tap_gid = tun.U32(IFLA_TUN_GROUP);
  }
  if (info.String(IFLA_INFO_SLAVE_KIND) == "bridge") {
    const Attributes<IFLA_BRPORT_ISOLATED> port(info.Get(IFLA_INFO_SLAVE_DATA));
    link.master = static_cast<int>(attributes.U32(IFLA_MASTER));
    if (port.Has(IFLA_BRPORT_STATE)) link.port_state = port.U8(IFLA_BRPORT_STATE);
    link.hairpin = port.U8(IFLA_BRPORT_MODE) != 0;
    link.isolated = port.U8(IFLA_BRPORT_ISOLATED) != 0;
    link.guest_port = port.U16(IFLA_BRPORT_GROUP_FWD_MASK) == kAllGroups && link.group == kGuestPortGroup;
  }
}

std::optional<Link> ParseLink(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto fixed = FixedPart<ifinfomsg>(message);
  const Attributes<IFLA_MAX> attributes(message, sizeof fixed);
  Link link;
  link.index = fixed.ifi_index;
  link.name = attributes.String(IFLA_IFNAME);
  link.mac = FormatMac(attributes.Bytes(IFLA_ADDRESS));
  link.mtu = attributes.U32(IFLA_MTU);
  link.up = (fixed.ifi_flags & IFF_UP) != 0;
  link.lower_up = (fixed.ifi_flags & kLowerUp) != 0;
  link.dormant = attributes.U8(IFLA_LINKMODE) == kLinkModeDormant;
  link.rising = link.lower_up && (fixed.ifi_flags & IFF_RUNNING) == 0 && !link.dormant;
  link.alias = attributes.String(IFLA_IFALIAS);
  link.group = attributes.U32(IFLA_GROUP);
  ReadLinkInfo(attributes.Get(IFLA_LINKINFO), attributes, link);
  return link;
}

std::optional<Link> FindOne(RtnlSocket& socket, RtnlMessage request) {
  try {
    return socket.Get(std::move(request), ParseLink);
  } catch (const Error& error) {
    if (error.Errnum() == ENODEV) return std::nullopt;
    throw;
  }
}

}  // namespace

std::vector<Link> DumpLinks(RtnlSocket& socket) { return socket.Dump(GetLink(ifinfomsg{}), ParseLink); }

std::optional<Link> FindLink(RtnlSocket& socket, std::string_view name) {
  RtnlMessage request = GetLink(ifinfomsg{});
  request.PutString(IFLA_IFNAME, name);
  return FindOne(socket, std::move(request));
}

std::optional<Link> FindLink(RtnlSocket& socket, int index) {
  ifinfomsg fixed{};
  fixed.ifi_index = index;
  return FindOne(socket, GetLink(fixed));
}

}  // namespace vulcan

#include "netlink/link_change.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

namespace vulcan {

namespace {

ifinfomsg OneLink(int family, int index) {
  ifinfomsg fixed{};
  fixed.ifi_family = static_cast<unsigned char>(family);
  fixed.ifi_index = index;
  return fixed;
}

RtnlMessage Change(ifinfomsg fixed, const LinkChange& change) {
  const auto set_flag = [&fixed](unsigned flag, const std::optional<bool>& value) {
    if (!value) return;
    fixed.ifi_change |= flag;
    if (*value) fixed.ifi_flags |= flag;
  };
  set_flag(IFF_UP, change.up);
  set_flag(IFF_PROMISC, change.promiscuous);
  RtnlMessage message(RTM_SETLINK, 0, fixed);
  if (change.mtu) message.PutU32(IFLA_MTU, *change.mtu);
  if (change.alias) message.PutString(IFLA_IFALIAS, *change.alias);
  if (change.name) message.PutString(IFLA_IFNAME, *change.name);
  if (change.group) message.PutU32(IFLA_GROUP, *change.group);
  if (change.mac) message.Put(IFLA_ADDRESS, change.mac->data(), change.mac->size());
  if (change.master) message.PutU32(IFLA_MASTER, static_cast<std::uint32_t>(*change.master));
  if (!change.ipv6 && !change.HasIpv4()) return message;
  message.Nest(IFLA_AF_SPEC, [&](RtnlMessage& families) {
    if (change.ipv6) {
      families.Nest(AF_INET6, [&](RtnlMessage& ipv6) {
        ipv6.PutU8(IFLA_INET6_ADDR_GEN_MODE, static_cast<std::uint8_t>(*change.ipv6));
      });
    }
    if (change.HasIpv4()) {
      families.Nest(AF_INET, [&](RtnlMessage& ipv4) {
        ipv4.Nest(IFLA_INET_CONF, [&](RtnlMessage& conf) {
          if (change.forwarding) conf.PutU32(IPV4_DEVCONF_FORWARDING, *change.forwarding ? 1 : 0);
          if (change.proxy_arp) conf.PutU32(IPV4_DEVCONF_PROXY_ARP, *change.proxy_arp ? 1 : 0);
          if (change.arp_ignore) conf.PutU32(IPV4_DEVCONF_ARP_IGNORE, *change.arp_ignore);
        });
      });
    }
  });
  return message;
}

}  // namespace

RtnlMessage SetLink(int index, const LinkChange& change) { return Change(OneLink(AF_UNSPEC, index), change); }

RtnlMessage SetLink(std::string_view name, const LinkChange& change) {
  RtnlMessage message = Change(OneLink(AF_UNSPEC, 0), change);
  message.PutString(IFLA_IFNAME, name);
  return message;
}

RtnlMessage DelLink(int index) { return {RTM_DELLINK, 0, OneLink(AF_UNSPEC, index)}; }

}  // namespace vulcan

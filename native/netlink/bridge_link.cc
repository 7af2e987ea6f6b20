#include "netlink/bridge_link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

namespace vulcan {

namespace {

RtnlMessage NewLink(std::string_view name, const MacAddress& mac) {
  RtnlMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.PutString(IFLA_IFNAME, name).Put(IFLA_ADDRESS, mac.data(), mac.size());
  return message;
}

}  // namespace

RtnlMessage NewBareBridge(std::string_view name, const MacAddress& mac) {
  RtnlMessage message = NewLink(name, mac);
  message.Nest(IFLA_LINKINFO, [](RtnlMessage& info) { info.PutString(IFLA_INFO_KIND, "bridge"); });
  return message;
}

RtnlMessage NewBridge(std::string_view name, const MacAddress& mac) {
  RtnlMessage message = NewLink(name, mac);
  message.Nest(IFLA_LINKINFO, [](RtnlMessage& info) {
    info.PutString(IFLA_INFO_KIND, "bridge").Nest(IFLA_INFO_DATA, [](RtnlMessage& data) {
      data.PutU8(IFLA_BR_MCAST_SNOOPING, 0).PutU32(IFLA_BR_FORWARD_DELAY, 0);
    });
  });
  return message;
}

}  // namespace vulcan

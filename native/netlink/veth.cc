#include "netlink/veth.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

namespace vulcan {

RtnlMessage NewVeth(const VethPlan& plan) {
  RtnlMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.PutString(IFLA_IFNAME, plan.name)
      .Put(IFLA_ADDRESS, plan.mac.data(), plan.mac.size())
      .PutU32(IFLA_MTU, plan.mtu)
      .PutU32(IFLA_TXQLEN, 0)
      .PutU32(IFLA_NUM_TX_QUEUES, 1)
      .PutU32(IFLA_NUM_RX_QUEUES, 1);
  if (plan.master != 0) message.PutU32(IFLA_MASTER, static_cast<std::uint32_t>(plan.master));
  if (plan.group != 0) message.PutU32(IFLA_GROUP, plan.group);
  message.Nest(IFLA_LINKINFO, [&](RtnlMessage& info) {
    info.PutString(IFLA_INFO_KIND, "veth").Nest(IFLA_INFO_DATA, [&](RtnlMessage& data) {
      data.Nest(VETH_INFO_PEER, [&](RtnlMessage& peer) {
        peer.PutFixed(ifinfomsg{})
            .PutString(IFLA_IFNAME, plan.peer_name)
            .Put(IFLA_ADDRESS, plan.peer_mac.data(), plan.peer_mac.size())
            .PutU32(IFLA_MTU, plan.mtu)
            .PutU32(IFLA_NUM_TX_QUEUES, 1)
            .PutU32(IFLA_NUM_RX_QUEUES, 1)
            .PutU32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(plan.peer_netns_fd));
      });
    });
  });
  return message;
}

}  // namespace vulcan

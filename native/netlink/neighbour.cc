#include "netlink/neighbour.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace vulcan {

RtnlMessage SetProxyDelay(int link, std::chrono::milliseconds delay) {
  ndtmsg fixed{};
  fixed.ndtm_family = AF_INET;
  RtnlMessage message(RTM_SETNEIGHTBL, 0, fixed);
  const auto milliseconds = static_cast<std::uint64_t>(delay.count());
  message.PutString(NDTA_NAME, "arp_cache").Nest(NDTA_PARMS, [&](RtnlMessage& parms) {
    parms.PutU32(NDTPA_IFINDEX, static_cast<std::uint32_t>(link))
        .Put(NDTPA_PROXY_DELAY, &milliseconds, sizeof milliseconds);
  });
  return message;
}

RtnlMessage DelNeighbour(int link, const IpAddress& address) {
  ndmsg fixed{};
  fixed.ndm_family = static_cast<std::uint8_t>(address.Family());
  fixed.ndm_ifindex = link;
  RtnlMessage message(RTM_DELNEIGH, 0, fixed);
  message.Put(NDA_DST, address.Bytes().data(), address.Bytes().size());
  return message;
}

}  // namespace vulcan

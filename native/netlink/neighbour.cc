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

}  // namespace vulcan

#include "netlink/host_route.h"

#include <linux/rtnetlink.h>

namespace vulcan {
namespace {

[[nodiscard]] RtnlMessage Compose(int type, int flags, const IpPrefix& destination, unsigned char kind,
                                  unsigned char scope) {
  rtmsg fixed{};
  fixed.rtm_family = static_cast<unsigned char>(destination.address.Family());
  fixed.rtm_dst_len = static_cast<unsigned char>(destination.length);
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = kRouteProtocol;
  fixed.rtm_scope = scope;
  fixed.rtm_type = kind;
  RtnlMessage message(type, flags, fixed);
  const auto bytes = destination.address.Bytes();
  message.Put(RTA_DST, bytes.data(), bytes.size());
  return message;
}

[[nodiscard]] IpPrefix Whole(const IpAddress& address) { return {address, address.Bits()}; }

}  // namespace

RtnlMessage NewHostRoute(int link, const IpAddress& guest, const std::optional<IpAddress>& source,
                         OtherRoute other) {
  const int flags = NLM_F_CREATE | (other == OtherRoute::kStays ? NLM_F_EXCL : NLM_F_REPLACE);
  RtnlMessage message = Compose(RTM_NEWROUTE, flags, Whole(guest), RTN_UNICAST, RT_SCOPE_LINK);
  message.PutU32(RTA_OIF, static_cast<std::uint32_t>(link));
  if (source) message.Put(RTA_PREFSRC, source->Bytes().data(), source->Bytes().size());
  return message;
}

RtnlMessage NewUnreachableRoute(const IpPrefix& subnet) {
  return Compose(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, subnet, RTN_UNREACHABLE, RT_SCOPE_UNIVERSE);
}

RtnlMessage DelRoute(const IpPrefix& destination) {
  return Compose(RTM_DELROUTE, 0, destination, RTN_UNSPEC, RT_SCOPE_NOWHERE);
}

}  // namespace vulcan

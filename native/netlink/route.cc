#include "netlink/route.h"

#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "netlink/attributes.h"

namespace vulcan {

namespace {

constexpr std::array<std::byte, 16> kAnyAddress{};

std::optional<Route> ParseRoute(const nlmsghdr& message) {
  const auto fixed = FixedPart<rtmsg>(message);
  const bool ip = fixed.rtm_family == AF_INET || fixed.rtm_family == AF_INET6;
  if (message.nlmsg_type != RTM_NEWROUTE || !ip || (fixed.rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  const Attributes<RTA_MAX> attributes(message, sizeof fixed);
  const std::span<const std::byte> any(kAnyAddress.data(), fixed.rtm_family == AF_INET ? 4 : 16);
  const auto destination = IpAddress::FromBytes(attributes.Has(RTA_DST) ? attributes.Bytes(RTA_DST) : any);
  if (!destination) return std::nullopt;
  Route route;
  route.destination = {*destination, fixed.rtm_dst_len};
  route.gateway = IpAddress::FromBytes(attributes.Bytes(RTA_GATEWAY));
  route.link = static_cast<int>(attributes.U32(RTA_OIF));
  route.table = attributes.U32(RTA_TABLE, fixed.rtm_table);
  route.protocol = fixed.rtm_protocol;
  route.type = fixed.rtm_type;
  route.metric = attributes.U32(RTA_PRIORITY);
  return route;
}

std::vector<Route> DumpFamily(RtnlSocket& socket, int family) {
  rtmsg fixed{};
  fixed.rtm_family = static_cast<unsigned char>(family);
  return socket.Dump(RtnlMessage(RTM_GETROUTE, 0, fixed), ParseRoute);
}

// A route that leads nowhere is an error of its own: unreachable, none, prohibited, or a black hole.
[[nodiscard]] bool IsNoWay(int errnum) {
  return errnum == EHOSTUNREACH || errnum == ENETUNREACH || errnum == EACCES || errnum == EINVAL;
}

}  // namespace

std::optional<int> LinkTo(RtnlSocket& socket, const IpAddress& address) {
  rtmsg fixed{};
  fixed.rtm_family = static_cast<unsigned char>(address.Family());
  fixed.rtm_dst_len = static_cast<unsigned char>(address.Bits());
  RtnlMessage request(RTM_GETROUTE, 0, fixed);
  request.Put(RTA_DST, address.Bytes().data(), address.Bytes().size());
  try {
    return socket.Get(std::move(request), [](const nlmsghdr& message) -> std::optional<int> {
      const Attributes<RTA_OIF> attributes(message, sizeof(rtmsg));
      return static_cast<int>(attributes.U32(RTA_OIF));
    });
  } catch (const Error& error) {
    if (!IsNoWay(error.Errnum())) throw;
    return std::nullopt;
  }
}

std::vector<Route> DumpRoutes(RtnlSocket& socket) {
  std::vector<Route> routes = DumpFamily(socket, AF_INET);
  const std::vector<Route> ipv6 = DumpFamily(socket, AF_INET6);
  routes.insert(routes.end(), ipv6.begin(), ipv6.end());
  return routes;
}

RtnlMessage NewRoute(int link, const IpPrefix& destination, const std::optional<IpAddress>& gateway) {
  rtmsg fixed{};
  fixed.rtm_family = static_cast<unsigned char>(destination.address.Family());
  fixed.rtm_dst_len = static_cast<unsigned char>(destination.length);
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_BOOT;
  fixed.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  fixed.rtm_type = RTN_UNICAST;
  RtnlMessage message(RTM_NEWROUTE, NLM_F_CREATE, fixed);
  const auto bytes = destination.address.Bytes();
  if (destination.length > 0) message.Put(RTA_DST, bytes.data(), bytes.size());
  if (gateway) message.Put(RTA_GATEWAY, gateway->Bytes().data(), gateway->Bytes().size());
  message.PutU32(RTA_OIF, static_cast<std::uint32_t>(link));
  return message;
}

}  // namespace vulcan

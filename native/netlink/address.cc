#include "netlink/address.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "netlink/attributes.h"

namespace vulcan {

namespace {

std::optional<LinkAddress> ParseAddress(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWADDR) return std::nullopt;
  const auto fixed = FixedPart<ifaddrmsg>(message);
  const Attributes<IFA_MAX> attributes(message, sizeof fixed);
  // On a point-to-point link IFA_ADDRESS is the peer's; IPv6 has IFA_LOCAL only there.
  const auto own = attributes.Has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS;
  const auto address = IpAddress::FromBytes(attributes.Bytes(own));
  if (!address) return std::nullopt;
  return LinkAddress{static_cast<int>(fixed.ifa_index), {*address, fixed.ifa_prefixlen}, fixed.ifa_scope};
}

RtnlMessage AboutAddress(int type, int flags, int link, const IpPrefix& prefix,
                         std::uint8_t address_flags = 0) {
  ifaddrmsg fixed{};
  fixed.ifa_flags = address_flags;
  fixed.ifa_family = static_cast<std::uint8_t>(prefix.address.Family());
  fixed.ifa_prefixlen = static_cast<std::uint8_t>(prefix.length);
  fixed.ifa_index = static_cast<std::uint32_t>(link);
  RtnlMessage message(type, flags, fixed);
  const auto bytes = prefix.address.Bytes();
  message.Put(IFA_LOCAL, bytes.data(), bytes.size()).Put(IFA_ADDRESS, bytes.data(), bytes.size());
  return message;
}

// Host byte order.
std::uint32_t BroadcastOf(const IpPrefix& prefix) {
  std::uint32_t address = 0;
  std::memcpy(&address, prefix.address.Bytes().data(), sizeof address);
  return ntohl(address) | static_cast<std::uint32_t>((std::uint64_t{1} << (32 - prefix.length)) - 1);
}

}  // namespace

std::vector<LinkAddress> DumpAddresses(RtnlSocket& socket) {
  return socket.Dump(RtnlMessage(RTM_GETADDR, 0, ifaddrmsg{}), ParseAddress);
}

RtnlMessage NewAddress(int link, const IpPrefix& prefix, std::uint8_t flags) {
  RtnlMessage message = AboutAddress(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link, prefix, flags);
  if (prefix.address.Family() == AF_INET && prefix.length < 31) {
    message.PutU32(IFA_BROADCAST, htonl(BroadcastOf(prefix)));
  }
  return message;
}

RtnlMessage DelAddress(int link, const IpPrefix& prefix) {
  return AboutAddress(RTM_DELADDR, 0, link, prefix);
}

}  // namespace vulcan

#include "nft/conntrack_tuple.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cstring>

#include "nft/message.h"

namespace vulcan::nft {
namespace {

// Of the flags in CTA_FILTER (enum ctnetlink_filter of net/netfilter/nf_conntrack_netlink.c).
constexpr std::uint32_t kFilterSource = 1U << 0;

[[nodiscard]] const nlattr* In(const nlattr* nest, std::uint16_t type) {
  if (nest == nullptr) return nullptr;
  const auto* each = static_cast<const nlattr*>(mnl_attr_get_payload(nest));
  const char* const end = reinterpret_cast<const char*>(each) + mnl_attr_get_payload_len(nest);
  for (; mnl_attr_ok(each, static_cast<int>(end - reinterpret_cast<const char*>(each)));
       each = mnl_attr_next(each)) {
    if (mnl_attr_get_type(each) == type) return each;
  }
  return nullptr;
}

[[nodiscard]] bool Holds(const nlattr* attribute, const IpAddress& address) {
  const auto bytes = address.Bytes();
  return attribute != nullptr && mnl_attr_get_payload_len(attribute) == bytes.size() &&
         std::memcmp(mnl_attr_get_payload(attribute), bytes.data(), bytes.size()) == 0;
}

[[nodiscard]] std::uint16_t SourceOf(const IpAddress& address) {
  return address.Family() == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
}

[[nodiscard]] std::uint16_t DestinationOf(const IpAddress& address) {
  return address.Family() == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST;
}

}  // namespace

bool HasPart(const nlmsghdr& connection, const IpAddress& address) {
  for (const std::uint16_t direction : {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
    const nlattr* ips = In(FindAttribute(&connection, sizeof(nfgenmsg), direction), CTA_TUPLE_IP);
    if (Holds(In(ips, SourceOf(address)), address)) return true;
    if (Holds(In(ips, DestinationOf(address)), address)) return true;
  }
  return false;
}

void PutSourceFilter(nlmsghdr* request, std::uint16_t direction, const IpAddress& address) {
  const auto bytes = address.Bytes();
  nlattr* const tuple = mnl_attr_nest_start(request, direction);
  nlattr* const ips = mnl_attr_nest_start(request, CTA_TUPLE_IP);
  mnl_attr_put(request, SourceOf(address), bytes.size(), bytes.data());
  mnl_attr_nest_end(request, ips);
  mnl_attr_nest_end(request, tuple);
  const bool is_original = direction == CTA_TUPLE_ORIG;
  nlattr* const filter = mnl_attr_nest_start(request, CTA_FILTER);
  mnl_attr_put_u32(request, CTA_FILTER_ORIG_FLAGS, is_original ? kFilterSource : 0);
  mnl_attr_put_u32(request, CTA_FILTER_REPLY_FLAGS, is_original ? 0 : kFilterSource);
  mnl_attr_nest_end(request, filter);
}

}  // namespace vulcan::nft

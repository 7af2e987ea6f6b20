#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/ip_address.h"
#include "nft/message.h"

namespace vulcan {

// Makes the namespace of the thread that constructs it track connections that nobody has.
class Tracker {
 public:
  Tracker() : socket_(mnl_socket_open(NETLINK_NETFILTER)) {}

  // As of a guest that spoke to somebody, who sees it as `seen_as`.
  void Track(const std::string& from, const std::string& to, const std::string& seen_as,
             std::uint16_t port = kPort) {
    std::array<char, 1024> buffer{};
    nlmsghdr* const request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    auto* const fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
    fixed->nfgen_family = static_cast<std::uint8_t>(Address(from).Family());
    PutTuple(request, CTA_TUPLE_ORIG, Address(from), Address(to), port);
    PutTuple(request, CTA_TUPLE_REPLY, Address(to), Address(seen_as), port);
    mnl_attr_put_u32(request, CTA_TIMEOUT, htonl(kTimeoutSeconds));
    ASSERT_GT(mnl_socket_sendto(socket_.get(), request, request->nlmsg_len), 0);
    ASSERT_GT(mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size()), 0);
    const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data());
    ASSERT_EQ(nft::ParseAcknowledgement(answer).error, 0);
  }

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
  };
  static constexpr std::uint32_t kTimeoutSeconds = 600;
  static constexpr std::uint16_t kPort = 5353;

  [[nodiscard]] static IpAddress Address(const std::string& text) { return IpAddress::Parse(text).value(); }

  static void PutTuple(nlmsghdr* request, std::uint16_t direction, const IpAddress& source,
                       const IpAddress& destination, std::uint16_t port) {
    const bool v4 = source.Family() == AF_INET;
    nlattr* const tuple = mnl_attr_nest_start(request, direction);
    nlattr* const ips = mnl_attr_nest_start(request, CTA_TUPLE_IP);
    mnl_attr_put(request, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, source.Bytes().size(), source.Bytes().data());
    mnl_attr_put(request, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, source.Bytes().size(),
                 destination.Bytes().data());
    mnl_attr_nest_end(request, ips);
    nlattr* const protocol = mnl_attr_nest_start(request, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(request, CTA_PROTO_NUM, IPPROTO_UDP);
    mnl_attr_put_u16(request, CTA_PROTO_SRC_PORT, htons(port));
    mnl_attr_put_u16(request, CTA_PROTO_DST_PORT, htons(port));
    mnl_attr_nest_end(request, protocol);
    mnl_attr_nest_end(request, tuple);
  }

  std::unique_ptr<mnl_socket, Close> socket_;
};

}  // namespace vulcan

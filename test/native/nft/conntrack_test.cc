#include "nft/conntrack.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "nft/message.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

constexpr std::uint32_t kTimeoutSeconds = 600;

[[nodiscard]] IpAddress Address(const std::string& text) { return IpAddress::Parse(text).value(); }

void PutTuple(nlmsghdr* request, std::uint16_t direction, const IpAddress& source,
              const IpAddress& destination) {
  const bool v4 = source.Family() == AF_INET;
  nlattr* const tuple = mnl_attr_nest_start(request, direction);
  nlattr* const ips = mnl_attr_nest_start(request, CTA_TUPLE_IP);
  mnl_attr_put(request, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, source.Bytes().size(), source.Bytes().data());
  mnl_attr_put(request, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, source.Bytes().size(),
               destination.Bytes().data());
  mnl_attr_nest_end(request, ips);
  nlattr* const protocol = mnl_attr_nest_start(request, CTA_TUPLE_PROTO);
  mnl_attr_put_u8(request, CTA_PROTO_NUM, IPPROTO_UDP);
  mnl_attr_put_u16(request, CTA_PROTO_SRC_PORT, htons(5353));
  mnl_attr_put_u16(request, CTA_PROTO_DST_PORT, htons(5353));
  mnl_attr_nest_end(request, protocol);
  mnl_attr_nest_end(request, tuple);
}

enum class By { kSearch, kReading };

// Each test has a namespace of its own, which ends with its sockets.
class ConntrackTest : public testing::TestWithParam<By> {
 protected:
  void SetUp() override {
    try {
      InNewNamespace([this] {
        conntrack_.emplace();
        socket_.reset(mnl_socket_open(NETLINK_NETFILTER));
        return 0;
      });
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }

  // As of a guest that spoke to somebody, who sees it as `seen_as`.
  void Track(const std::string& from, const std::string& to, const std::string& seen_as) {
    std::array<char, 1024> buffer{};
    nlmsghdr* const request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    auto* const fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
    fixed->nfgen_family = static_cast<std::uint8_t>(Address(from).Family());
    PutTuple(request, CTA_TUPLE_ORIG, Address(from), Address(to));
    PutTuple(request, CTA_TUPLE_REPLY, Address(to), Address(seen_as));
    mnl_attr_put_u32(request, CTA_TIMEOUT, htonl(kTimeoutSeconds));
    ASSERT_GT(mnl_socket_sendto(socket_.get(), request, request->nlmsg_len), 0);
    ASSERT_GT(mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size()), 0);
    const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data());
    ASSERT_EQ(nft::ParseAcknowledgement(answer).error, 0);
  }

  void Remove(const std::string& address) {
    if (GetParam() == By::kSearch && conntrack_->TryRemove(Address(address))) return;
    // Others have no connection.
    conntrack_->Remove({Address(address), Address("10.99.0.1")});
  }

  [[nodiscard]] std::uint32_t Count() { return conntrack_->Count(); }

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
  };
  std::optional<Conntrack> conntrack_;
  std::unique_ptr<mnl_socket, Close> socket_;
};

TEST_P(ConntrackTest, ForgetsWhatTheAddressBegan) {
  Track("10.168.0.2", "192.0.2.1", "203.0.113.1");
  Track("10.168.0.2", "192.0.2.2", "10.168.0.2");
  Remove("10.168.0.2");
  EXPECT_EQ(Count(), 0U);
}

TEST_P(ConntrackTest, ForgetsWhatOthersBeganWithIt) {
  Track("192.0.2.1", "10.168.0.2", "192.0.2.1");
  Remove("10.168.0.2");
  EXPECT_EQ(Count(), 0U);
}

TEST_P(ConntrackTest, ForgetsIpv6) {
  Track("fd00::2", "2001:db8::1", "fd00::2");
  Track("2001:db8::3", "fd00::2", "2001:db8::3");
  Remove("fd00::2");
  EXPECT_EQ(Count(), 0U);
}

TEST_P(ConntrackTest, LeavesThoseOfOthers) {
  Track("10.168.0.3", "192.0.2.1", "203.0.113.1");
  Track("192.0.2.1", "10.168.0.20", "192.0.2.1");
  Track("fd00::2", "2001:db8::1", "fd00::2");
  Remove("10.168.0.2");
  EXPECT_EQ(Count(), 3U);
}

TEST_P(ConntrackTest, IsContentWithNone) {
  Remove("10.168.0.2");
  EXPECT_EQ(Count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(BySearch, ConntrackTest, testing::Values(By::kSearch));
INSTANTIATE_TEST_SUITE_P(ByReading, ConntrackTest, testing::Values(By::kReading));

TEST(FewAddresses, AreAllWhereNothingElseIsTracked) {
  EXPECT_TRUE(Conntrack::AreFew(64, 1));
  EXPECT_FALSE(Conntrack::AreFew(64, 1'000));
  EXPECT_TRUE(Conntrack::AreFew(7, 100'000));
  EXPECT_FALSE(Conntrack::AreFew(8, 100'000));
}

}  // namespace
}  // namespace vulcan

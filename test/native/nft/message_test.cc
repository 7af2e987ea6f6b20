#include "nft/message.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vulcan::nft {
namespace {

// An NLMSG_ERROR as the kernel builds it.
class Reply {
 public:
  explicit Reply(int error, std::uint16_t flags) : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = NLMSG_ERROR;
    header_->nlmsg_flags = flags;
    auto* body = static_cast<nlmsgerr*>(mnl_nlmsg_put_extra_header(header_, sizeof(nlmsgerr)));
    body->error = error;
    body->msg.nlmsg_seq = 7;
    body->msg.nlmsg_len = sizeof(nlmsghdr);
  }
  // The request that the kernel repeats without NETLINK_CAP_ACK.
  Reply& Repeat(std::uint32_t bytes) {
    auto* body = static_cast<nlmsgerr*>(mnl_nlmsg_get_payload(header_));
    body->msg.nlmsg_len += bytes;
    mnl_nlmsg_put_extra_header(header_, bytes);
    return *this;
  }
  Reply& Text(const char* text) {
    mnl_attr_put_strz(header_, NLMSGERR_ATTR_MSG, text);
    return *this;
  }
  [[nodiscard]] nlmsghdr* Header() const { return header_; }

 private:
  alignas(nlmsghdr) std::array<char, 512> buffer_{};
  nlmsghdr* header_;
};

TEST(MessageTest, NamesMessagesAsTheKernelDoes) {
  EXPECT_EQ(MessageName(NFT_MSG_NEWTABLE), "NFT_MSG_NEWTABLE");
  EXPECT_EQ(MessageName(NFT_MSG_NEWRULE), "NFT_MSG_NEWRULE");
  EXPECT_EQ(MessageName(NFT_MSG_DELSETELEM), "NFT_MSG_DELSETELEM");
  EXPECT_EQ(MessageName(NFT_MSG_GETGEN), "NFT_MSG_GETGEN");
  EXPECT_EQ(MessageName(200), "NFT_MSG_200");
}

TEST(AcknowledgementTest, HasTheSequenceOfItsRequestAndAPositiveErrno) {
  const Reply reply(-ENOENT, 0);
  const Acknowledgement read = ParseAcknowledgement(reply.Header());
  EXPECT_EQ(read.sequence, 7U);
  EXPECT_EQ(read.error, ENOENT);
  EXPECT_EQ(read.text, "");
}

TEST(AcknowledgementTest, FindsTheKernelsTextBehindAHeaderOrARequest) {
  Reply capped(-EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS);
  EXPECT_EQ(ParseAcknowledgement(capped.Text("too short").Header()).text, "too short");
  Reply whole(-EINVAL, NLM_F_ACK_TLVS);
  EXPECT_EQ(ParseAcknowledgement(whole.Repeat(24).Text("too long").Header()).text, "too long");
}

TEST(AcknowledgementTest, SurvivesAMessageThatIsCutShort) {
  Reply reply(-EINVAL, NLM_F_ACK_TLVS);
  reply.Repeat(400);
  nlmsghdr* header = reply.Header();
  for (std::uint32_t length = header->nlmsg_len; length >= sizeof(nlmsghdr); --length) {
    header->nlmsg_len = length;
    EXPECT_EQ(ParseAcknowledgement(header).text, "");
  }
}

}  // namespace
}  // namespace vulcan::nft

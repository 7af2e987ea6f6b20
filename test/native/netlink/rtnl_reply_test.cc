#include "netlink/rtnl_reply.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <stdexcept>

#include "netlink/datagram.h"

namespace vulcan {
namespace {

class RtnlReplyTest : public testing::Test {
 protected:
  void Read(const Datagram& datagram) {
    reply_.Read(datagram.Bytes(),
                [this](const nlmsghdr& message) { visited_.push_back(message.nlmsg_type); });
  }

  static nlmsghdr Request() {
    nlmsghdr header{};
    header.nlmsg_type = RTM_GETLINK;
    header.nlmsg_seq = kSequence;
    return header;
  }
  static Datagram::Message Done() {
    std::vector<std::byte> payload;
    Datagram::Append(payload, int{0});
    return {NLMSG_DONE, NLM_F_MULTI, kSequence, payload};
  }
  static Datagram::Message NewLink(int flags = NLM_F_MULTI, std::uint32_t sequence = kSequence) {
    return {RTM_NEWLINK, flags, sequence, std::vector<std::byte>(sizeof(ifinfomsg))};
  }

  RtnlReply reply_{Request()};
  std::vector<int> visited_;
};

TEST_F(RtnlReplyTest, GoesOnUntilTheDumpsEnd) {
  Read(Datagram().Add(NewLink()).Add(NewLink()));
  EXPECT_FALSE(reply_.IsDone());
  Read(Datagram().Add(NewLink()).Add(Done()));
  EXPECT_TRUE(reply_.IsDone());
  EXPECT_FALSE(reply_.IsInterrupted());
  EXPECT_EQ(visited_, std::vector<int>(3, RTM_NEWLINK));
  EXPECT_NO_THROW(reply_.ThrowIfFailed());
}

TEST_F(RtnlReplyTest, NoticesAnInterruptionAnywhere) {
  Read(Datagram().Add(NewLink()).Add(NewLink(NLM_F_MULTI | NLM_F_DUMP_INTR)).Add(NewLink()).Add(Done()));
  EXPECT_TRUE(reply_.IsInterrupted());
}

TEST_F(RtnlReplyTest, NoticesAnInterruptionAtTheEnd) {
  auto done = Done();
  done.flags |= NLM_F_DUMP_INTR;
  Read(Datagram().Add(NewLink()).Add(done));
  EXPECT_TRUE(reply_.IsInterrupted());
}

TEST_F(RtnlReplyTest, IgnoresAnswersToOtherRequests) {
  Read(Datagram().Add(NewLink(0, kSequence - 1)).Add(ErrorMessage(kSequence - 1, EBUSY)));
  EXPECT_FALSE(reply_.IsDone());
  EXPECT_TRUE(visited_.empty());
}

TEST_F(RtnlReplyTest, EndsWithAnError) {
  Read(Datagram().Add(ErrorMessage(kSequence, ENODEV, "gone")));
  EXPECT_TRUE(reply_.IsDone());
  ASSERT_TRUE(reply_.Failure());
  EXPECT_EQ(reply_.Failure()->KernelMessage(), "gone");
  EXPECT_THROW(reply_.ThrowIfFailed(), Error);
}

TEST_F(RtnlReplyTest, KeepsAnExceptionUntilTheDumpIsRead) {
  int visits = 0;
  const auto fail = [&](const nlmsghdr&) {
    ++visits;
    throw std::runtime_error("no");
  };
  reply_.Read(Datagram().Add(NewLink()).Add(NewLink()).Bytes(), fail);
  reply_.Read(Datagram().Add(Done()).Bytes(), fail);
  EXPECT_EQ(visits, 1);
  EXPECT_TRUE(reply_.IsDone());
  EXPECT_THROW(reply_.ThrowIfFailed(), std::runtime_error);
}

TEST_F(RtnlReplyTest, SurvivesEveryLengthOfADatagram) {
  const auto datagram = Datagram().Add(NewLink()).Add(ErrorMessage(kSequence, EINVAL, "text"));
  for (std::size_t size = 0; size < datagram.Bytes().size(); ++size) {
    RtnlReply reply(Request());
    EXPECT_NO_THROW(reply.Read(datagram.Bytes().first(size), [](const nlmsghdr&) {}));
  }
}

}  // namespace
}  // namespace vulcan

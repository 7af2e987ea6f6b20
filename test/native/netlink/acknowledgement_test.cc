#include "netlink/acknowledgement.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

#include "netlink/datagram.h"

namespace vulcan {
namespace {

std::optional<Error> Read(const Datagram::Message& message) {
  return ReadAcknowledgement(Datagram().Add(message).First(), RTM_NEWLINK);
}

TEST(AcknowledgementTest, SuccessIsNoError) { EXPECT_FALSE(Read(ErrorMessage(kSequence, 0))); }

TEST(AcknowledgementTest, NamesRequestAndErrno) {
  const auto error = Read(ErrorMessage(kSequence, EEXIST));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->Errnum(), EEXIST);
  EXPECT_EQ(error->Syscall(), "RTM_NEWLINK");
  EXPECT_EQ(error->KernelMessage(), "");
}

TEST(AcknowledgementTest, HasTheKernelsText) {
  const auto error = Read(ErrorMessage(kSequence, EINVAL, "mtu less than device minimum"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->KernelMessage(), "mtu less than device minimum");
}

TEST(AcknowledgementTest, HasTheOffsetOfWhatWasWrong) {
  auto message = ErrorMessage(kSequence, EINVAL, "wrong");
  const std::uint32_t offset = 44;
  Datagram::AppendAttribute(message.payload, NLMSGERR_ATTR_OFFS, std::as_bytes(std::span(&offset, 1)));
  EXPECT_EQ(Read(message)->KernelMessage(), "wrong, at byte 44 of the request");
}

TEST(AcknowledgementTest, FindsTheTextBehindAnEchoedRequest) {
  // A kernel before 4.2 does not know NETLINK_CAP_ACK.
  constexpr std::size_t kEchoed = 20;
  std::vector<std::byte> payload;
  nlmsgerr error{-EPERM, {}};
  error.msg.nlmsg_len = sizeof(nlmsghdr) + kEchoed;
  Datagram::Append(payload, error);
  payload.resize(payload.size() + kEchoed);
  const std::array<std::byte, 4> text = {std::byte{'n'}, std::byte{'o'}, std::byte{'!'}, std::byte{0}};
  Datagram::AppendAttribute(payload, NLMSGERR_ATTR_MSG, text);
  EXPECT_EQ(Read({NLMSG_ERROR, NLM_F_ACK_TLVS, kSequence, payload})->KernelMessage(), "no!");
}

TEST(AcknowledgementTest, ReadsTheErrorOfADumpsEnd) {
  std::vector<std::byte> payload;
  Datagram::Append(payload, int{-ENOBUFS});
  EXPECT_EQ(Read({NLMSG_DONE, NLM_F_MULTI, kSequence, payload})->Errnum(), ENOBUFS);
}

TEST(AcknowledgementTest, SurvivesWhatIsCutOff) {
  auto message = ErrorMessage(kSequence, EINVAL, "text");
  while (message.payload.size() > sizeof(int)) {
    message.payload.pop_back();
    EXPECT_NO_THROW(static_cast<void>(Read(message)));
  }
  EXPECT_FALSE(Read({NLMSG_ERROR, 0, kSequence, {}}));
}

}  // namespace
}  // namespace vulcan

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <limits>
#include <optional>

#include "false_kernel.h"
#include "netlink/filter.h"
#include "netlink/fingerprint.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "netlink/qdisc.h"
#include "netlink/rtnl_socket.h"
#include "sys/netns.h"
#include "throws.h"

namespace vulcan {
namespace {

constexpr int kForEver = std::numeric_limits<int>::max();

class RtnlRetryTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      socket_.emplace(InNewNamespace([] { return RtnlSocket(); }));
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }
  void TearDown() override { TheFalseKernel() = {}; }

  [[nodiscard]] RtnlSocket& Socket() { return *socket_; }

  static void RefuseQdiscs(int times, int errnum = EBUSY) {
    TheFalseKernel() = {RTM_NEWQDISC, errnum, times, 0, 0};
  }
  static RtnlMessage SetMtu(std::uint32_t mtu) {
    LinkChange change;
    change.mtu = mtu;
    return SetLink(kLoopback, change);
  }

 private:
  std::optional<RtnlSocket> socket_;
};

TEST_F(RtnlRetryTest, AsksAgainWhileAQdiscIsBusy) {
  RefuseQdiscs(2);
  Socket().Request(NewIngressQdisc(kLoopback));
  EXPECT_EQ(DumpQdiscs(Socket()).size(), 1U);
}

TEST_F(RtnlRetryTest, SaysWhenItHasAskedOftenEnough) {
  RefuseQdiscs(kForEver);
  EXPECT_TRUE(
      Throws(EBUSY, Reason::kRetriesExhausted, [&] { Socket().Request(NewIngressQdisc(kLoopback)); }));
  EXPECT_TRUE(DumpQdiscs(Socket()).empty());
}

TEST_F(RtnlRetryTest, AsksOnceWhereThatIsOfNoUse) {
  RefuseQdiscs(kForEver, EPERM);
  EXPECT_TRUE(Throws(EPERM, [&] { Socket().Request(NewIngressQdisc(kLoopback)); }));
  EXPECT_EQ(TheFalseKernel().refusals, kForEver - 1);
}

TEST_F(RtnlRetryTest, SendsTheRestOfABatchAgain) {
  RefuseQdiscs(1);
  RtnlBatch batch;
  batch.Add(SetMtu(60'000)).Add(NewIngressQdisc(kLoopback)).Add(NewRedirectFilter(kLoopback, kLoopback));
  for (const auto& failure : Socket().Send(std::move(batch))) EXPECT_FALSE(failure) << failure->what();
  EXPECT_EQ(FindLink(Socket(), kLoopback)->mtu, 60'000U);
  EXPECT_EQ(DumpQdiscs(Socket()).size(), 1U);
}

TEST_F(RtnlRetryTest, SaysInABatchWhichHasRunOutOfAttempts) {
  RefuseQdiscs(kForEver);
  RtnlBatch batch;
  batch.Add(SetMtu(60'000)).Add(NewIngressQdisc(kLoopback));
  const auto result = Socket().Send(std::move(batch));
  EXPECT_FALSE(result[0]);
  ASSERT_TRUE(result[1]);
  EXPECT_EQ(result[1]->Errnum(), EBUSY);
  EXPECT_EQ(result[1]->GetReason(), Reason::kRetriesExhausted);
}

TEST_F(RtnlRetryTest, DumpsAgainWhatWasLostOnTheWay) {
  TheFalseKernel().losses = 2;
  EXPECT_EQ(DumpLinks(Socket()).size(), 1U);
}

TEST_F(RtnlRetryTest, DumpsAgainWhatChangedMeanwhile) {
  TheFalseKernel().interruptions = 1;
  EXPECT_EQ(DumpLinks(Socket()).size(), 1U);
  EXPECT_EQ(TheFalseKernel().interruptions, 0);
}

TEST_F(RtnlRetryTest, KeepsNothingOfADumpThatIsDoneAgain) {
  const Fingerprint before = FingerprintLinks(Socket(), {});
  TheFalseKernel().interruptions = 1;
  EXPECT_EQ(before.DifferenceTo(FingerprintLinks(Socket(), {})), std::nullopt);
  EXPECT_EQ(TheFalseKernel().interruptions, 0);
}

TEST_F(RtnlRetryTest, SaysWhenEveryDumpWasInterrupted) {
  TheFalseKernel().interruptions = kForEver;
  EXPECT_TRUE(Throws(EINTR, Reason::kRetriesExhausted, [&] { static_cast<void>(DumpLinks(Socket())); }));
}

}  // namespace
}  // namespace vulcan

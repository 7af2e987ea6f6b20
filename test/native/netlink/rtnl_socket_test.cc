#include "netlink/rtnl_socket.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "netlink/address.h"
#include "netlink/bridge_link.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "netlink/qdisc.h"
#include "sys/netns.h"
#include "throws.h"

namespace vulcan {
namespace {

constexpr int kNoLink = 4711;

// Each test has a namespace of its own, which ends with the socket.
class RtnlSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      socket_.emplace(InNewNamespace([] { return RtnlSocket(); }));
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }

  [[nodiscard]] RtnlSocket& Socket() { return *socket_; }

  static RtnlMessage SetMtu(int index, std::uint32_t mtu) {
    LinkChange change;
    change.mtu = mtu;
    return SetLink(index, change);
  }

 private:
  std::optional<RtnlSocket> socket_;
};

TEST_F(RtnlSocketTest, StaysInTheNamespaceItWasOpenedIn) {
  Socket().Request(NewBridge("only0", ParseMac("02:00:00:00:00:01").value()));
  EXPECT_TRUE(FindLink(Socket(), "only0"));
  RtnlSocket here;
  EXPECT_FALSE(FindLink(here, "only0"));
}

TEST_F(RtnlSocketTest, HasTheKernelsText) {
  try {
    Socket().Request(SetMtu(kLoopback, 1U << 31));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.Syscall(), "RTM_SETLINK");
    EXPECT_NE(error.KernelMessage(), "") << error.what();
  }
}

TEST_F(RtnlSocketTest, FindsNoLinkThatIsNotThere) {
  EXPECT_FALSE(FindLink(Socket(), "nosuch"));
  EXPECT_FALSE(FindLink(Socket(), kNoLink));
}

TEST_F(RtnlSocketTest, GoesOnAfterARefusal) {
  EXPECT_TRUE(Throws(ENODEV, [&] { Socket().Request(DelLink(kNoLink)); }));
  EXPECT_EQ(DumpLinks(Socket()).size(), 1U);
}

TEST_F(RtnlSocketTest, ABatchGoesOnAfterAFailingRequest) {
  RtnlBatch batch;
  batch.Add(SetMtu(kLoopback, 60000)).Add(DelLink(kNoLink)).Add(NewIngressQdisc(kLoopback));
  const auto result = Socket().Send(std::move(batch));
  ASSERT_EQ(result.size(), 3U);
  EXPECT_FALSE(result[0]);
  ASSERT_TRUE(result[1]);
  EXPECT_EQ(result[1]->Errnum(), ENODEV);
  EXPECT_EQ(result[1]->Syscall(), "RTM_DELLINK");
  EXPECT_FALSE(result[2]);
  EXPECT_EQ(FindLink(Socket(), kLoopback)->mtu, 60000U);
  EXPECT_EQ(DumpQdiscs(Socket()).size(), 1U);
}

TEST_F(RtnlSocketTest, ABatchTellsEachOfItsFailures) {
  RtnlBatch batch;
  batch.Add(DelLink(kNoLink)).Add(SetMtu(kLoopback, 60000)).Add(DelIngressQdisc(kLoopback));
  const auto result = Socket().Send(std::move(batch));
  ASSERT_EQ(result.size(), 3U);
  EXPECT_EQ(result[0]->Errnum(), ENODEV);
  EXPECT_FALSE(result[1]);
  ASSERT_TRUE(result[2]);
  EXPECT_EQ(result[2]->Syscall(), "RTM_DELQDISC");
}

TEST_F(RtnlSocketTest, ABatchOfNothingIsNothing) { EXPECT_TRUE(Socket().Send({}).empty()); }

TEST_F(RtnlSocketTest, AddressesComeAndGo) {
  const auto prefix = IpPrefix::Parse("10.1.2.3/24").value();
  Socket().Request(NewAddress(kLoopback, prefix));
  EXPECT_TRUE(Throws(EEXIST, [&] { Socket().Request(NewAddress(kLoopback, prefix)); }));
  const auto addresses = DumpAddresses(Socket());
  ASSERT_EQ(addresses.size(), 1U);
  EXPECT_EQ(addresses[0].prefix.ToString(), "10.1.2.3/24");
  Socket().Request(DelAddress(kLoopback, prefix));
  EXPECT_TRUE(DumpAddresses(Socket()).empty());
}

}  // namespace
}  // namespace vulcan

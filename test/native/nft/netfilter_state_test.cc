#include "nft/netfilter_state.h"

#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>

#include "false_kernel.h"
#include "namespace_test.h"
#include "nft/batch.h"
#include "nft/socket.h"
#include "nft/table.h"
#include "nft/transaction.h"
#include "sys/netns.h"
#include "throws.h"
#include "tracker.h"

namespace vulcan::nft {
namespace {

constexpr std::uint16_t kGetGeneration = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
constexpr std::uint16_t kGetStats = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS;

class NetfilterStateTest : public NamespaceTest {
 protected:
  // In a namespace that has had what `furnish` does, where the kernel refuses one request as `kernel` says.
  [[nodiscard]] static NetfilterState Read(const std::function<void()>& furnish, FalseKernel kernel = {}) {
    return InNewNamespace([&] {
      furnish();
      TheFalseKernel() = kernel;
      return ReadNetfilterState();
    });
  }
};

void DoNothing() {}

void AddSomeTable() {
  Socket socket;
  CommitAnew(socket, Batch::Messages::kSmall, [](Batch& batch) {
    AddTable(batch, Table{AF_INET, "some"}, "a test");
  });
}

void TrackTwo() {
  Tracker tracker;
  tracker.Track("10.168.0.2", "192.0.2.1", "10.168.0.2");
  tracker.Track("fd00::2", "2001:db8::1", "fd00::2");
}

TEST_F(NetfilterStateTest, IsThatOfTheBeginningWhereNothingHappened) {
  const NetfilterState state = Read(DoNothing);
  EXPECT_EQ(state.generation, 1U);
  EXPECT_EQ(state.connections, 0U);
}

TEST_F(NetfilterStateTest, TellsThatThereWasATransaction) {
  const NetfilterState state = Read(AddSomeTable);
  EXPECT_EQ(state.generation, 2U);
  EXPECT_EQ(state.connections, 0U);
}

TEST_F(NetfilterStateTest, TellsHowManyConnectionsAreTracked) {
  const NetfilterState state = Read(TrackTwo);
  EXPECT_EQ(state.generation, 1U);
  EXPECT_EQ(state.connections, 2U);
}

TEST_F(NetfilterStateTest, IsNotToldWithoutNfTables) {
  EXPECT_TRUE(Throws(EOPNOTSUPP, [] {
    static_cast<void>(Read(DoNothing, {kGetGeneration, EINVAL, 1, 0, 0}));
  }));
}

TEST_F(NetfilterStateTest, IsNotToldWhereConnectionsAreTrackedButNotCounted) {
  EXPECT_TRUE(Throws(EOPNOTSUPP, [] { static_cast<void>(Read(TrackTwo, {kGetStats, EINVAL, 1, 0, 0})); }));
}

TEST_F(NetfilterStateTest, IsNotToldWhereTheKernelRefusesToAnswer) {
  for (const std::uint16_t type : {kGetGeneration, kGetStats}) {
    EXPECT_TRUE(Throws(EPERM, [&] { static_cast<void>(Read(DoNothing, {type, EPERM, 1, 0, 0})); }));
  }
}

}  // namespace
}  // namespace vulcan::nft

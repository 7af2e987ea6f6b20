#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <limits>
#include <optional>

#include "false_kernel.h"
#include "nft/batch.h"
#include "nft/socket.h"
#include "nft/table.h"
#include "nft/transaction.h"
#include "sys/netns.h"
#include "throws.h"

namespace vulcan::nft {
namespace {

constexpr int kForEver = std::numeric_limits<int>::max();

const Table& TestTable() {
  static const Table table{NFPROTO_INET, "retry"};
  return table;
}

// Each has a namespace of its own, which ends with the socket.
class NftRetryTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      socket_.emplace(InNewNamespace([] { return Socket(); }));
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }
  void TearDown() override { TheFalseKernel() = {}; }

  void AddTestTable() {
    CommitAnew(*socket_, Batch::Messages::kSmall,
               [](Batch& batch) { AddTable(batch, TestTable(), "a test"); });
  }

  std::optional<Socket> socket_;
};

TEST_F(NftRetryTest, WritesAgainWhenTheAnswersWereLost) {
  TheFalseKernel().losses = 2;
  AddTestTable();
  EXPECT_EQ(TheFalseKernel().losses, 0);
  EXPECT_EQ(ReadTable(*socket_, TestTable()).value().comment, "a test");
}

TEST_F(NftRetryTest, SaysWhenTheyWereLostEachTime) {
  TheFalseKernel().losses = kForEver;
  EXPECT_TRUE(Throws(ENOBUFS, Reason::kRetriesExhausted, [this] { AddTestTable(); }));
}

TEST_F(NftRetryTest, ReadsAgainWhatWasLostOnTheWay) {
  AddTestTable();
  TheFalseKernel().losses = 1;
  EXPECT_EQ(socket_->Dump(NFT_MSG_GETTABLE, NFPROTO_INET, [](nlmsghdr*) {}).size(), 1U);
}

TEST_F(NftRetryTest, ReadsAgainWhenTheRestOfAnEarlierDumpIsYetToBeRead) {
  AddTestTable();
  TheFalseKernel() = {NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, EBUSY, 2, 0, 0};
  EXPECT_EQ(socket_->Dump(NFT_MSG_GETTABLE, NFPROTO_INET, [](nlmsghdr*) {}).size(), 1U);
  EXPECT_EQ(TheFalseKernel().refusals, 0);
}

}  // namespace
}  // namespace vulcan::nft

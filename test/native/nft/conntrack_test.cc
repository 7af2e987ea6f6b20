#include "nft/conntrack.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "sys/netns.h"
#include "tracker.h"

namespace vulcan {
namespace {

[[nodiscard]] IpAddress Address(const std::string& text) { return IpAddress::Parse(text).value(); }

enum class By { kSearch, kReading };

// Each test has a namespace of its own, which ends with its sockets.
class ConntrackTest : public testing::TestWithParam<By> {
 protected:
  void SetUp() override {
    try {
      InNewNamespace([this] {
        conntrack_.emplace();
        tracker_.emplace();
        return 0;
      });
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }

  void Track(const std::string& from, const std::string& to, const std::string& seen_as) {
    tracker_->Track(from, to, seen_as);
  }

  void Remove(const std::string& address) {
    if (GetParam() == By::kSearch && conntrack_->TryRemove(Address(address))) return;
    // Others have no connection.
    EXPECT_TRUE(conntrack_->Remove({Address(address), Address("10.99.0.1")}).empty());
  }

  [[nodiscard]] std::uint32_t Count() { return conntrack_->Count(); }

 private:
  std::optional<Conntrack> conntrack_;
  std::optional<Tracker> tracker_;
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

// Both by an address that has connections, and by one that has none.
TEST_P(ConntrackTest, LeavesThoseOfOtherIpv6Addresses) {
  Track("fd00::2", "2001:db8::1", "fd00::2");
  Track("2001:db8::3", "fd00::20", "2001:db8::3");
  Track("192.0.2.1", "10.168.0.20", "192.0.2.1");
  Remove("fd00::3");
  EXPECT_EQ(Count(), 3U);
  Remove("fd00::2");
  EXPECT_EQ(Count(), 2U);
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

#include "engine/tracked_connections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/netns.h"
#include "tracker.h"

namespace vulcan {
namespace {

[[nodiscard]] IpAddress Address(const std::string& text) { return IpAddress::Parse(text).value(); }

// How many connections of 10.168.0.2, .3 and .9, and two of others, are left once those of `texts` are
// forgotten; and which of `texts` had to be searched for.
struct Left {
  std::uint32_t connections = 0;
  std::vector<std::string> searched;
};

[[nodiscard]] std::optional<Left> Forget(const std::vector<std::string>& texts) {
  Left left;
  try {
    RunInNewNamespace([&] {
      Tracker tracker;
      for (const char* guest : {"10.168.0.2", "10.168.0.3", "10.168.0.9"}) {
        tracker.Track(guest, "192.0.2.1", guest);
      }
      tracker.Track("192.0.2.2", "10.168.0.3", "192.0.2.2");
      tracker.Track("192.0.2.2", "10.168.0.20", "192.0.2.2");
      tracker.Track("fd00::3", "2001:db8::1", "fd00::3");
      std::vector<IpAddress> addresses(texts.size());
      std::ranges::transform(texts, addresses.begin(), Address);
      Conntrack conntrack;
      for (const IpAddress& each : ForgetTogether(conntrack, addresses).left) {
        left.searched.push_back(each.ToString());
        EXPECT_TRUE(conntrack.TryRemove(each));
      }
      left.connections = conntrack.Count();
    });
  } catch (const Error& error) {
    if (error.Errnum() != EPERM) throw;
    return std::nullopt;
  }
  return left;
}

class TrackedConnections : public testing::Test {
 protected:
  void SetUp() override {
    if (!Forget({})) GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
  }
};

constexpr std::uint32_t kAll = 6;

TEST_F(TrackedConnections, OfNobodyStay) { EXPECT_EQ(Forget({})->connections, kAll); }

TEST_F(TrackedConnections, OfOneAreForgotten) { EXPECT_EQ(Forget({"10.168.0.3"})->connections, kAll - 2); }

TEST_F(TrackedConnections, OfAnIpv6AddressAreForgottenAndThoseOfOthersStay) {
  const auto left = Forget({"fd00::3"});
  EXPECT_EQ(left->connections, kAll - 1);
  EXPECT_TRUE(left->searched.empty());
  EXPECT_EQ(Forget({"fd00::4"})->connections, kAll);
}

TEST_F(TrackedConnections, OfBothFamiliesAreForgottenAndThoseOfOthersStay) {
  EXPECT_EQ(Forget({"10.168.0.3", "fd00::3"})->connections, kAll - 3);
  EXPECT_EQ(Forget({"10.168.0.3", "fd00::4"})->connections, kAll - 2);
  EXPECT_EQ(Forget({"10.168.0.2", "10.168.0.3", "fd00::3", "fd00::4"})->connections, 2U);
  // The others are searched for as without it.
  EXPECT_EQ(Forget({"10.168.0.2", "10.168.0.3", "fd00::3"})->searched,
            Forget({"10.168.0.2", "10.168.0.3", "10.168.0.4"})->searched);
}

TEST_F(TrackedConnections, OfManyAreForgottenAndThoseWithoutAnyNotSearchedFor) {
  const auto left = Forget({"10.168.0.1", "10.168.0.2", "10.168.0.3", "10.168.0.4", "fd00::4"});
  EXPECT_EQ(left->connections, kAll - 3);
  for (const char* none : {"10.168.0.1", "10.168.0.4", "fd00::4"}) {
    EXPECT_EQ(std::ranges::count(left->searched, none), 0) << none;
  }
}

TEST_F(TrackedConnections, AreLeftAloneWhereNoneIsTheirs) {
  const auto left = Forget({"10.168.0.1", "10.168.0.4", "10.168.0.5", "fd00::4"});
  EXPECT_EQ(left->connections, kAll);
  EXPECT_TRUE(left->searched.empty());
}

}  // namespace
}  // namespace vulcan

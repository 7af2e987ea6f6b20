#include "sys/tracked_addresses.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "namespace_test.h"
#include "sys/netns.h"
#include "tracker.h"

namespace vulcan {
namespace {

[[nodiscard]] IpAddress Address(const std::string& text) { return IpAddress::Parse(text).value(); }

// Which of the addresses, in a namespace that tracks what `track` says.
[[nodiscard]] std::vector<std::string> Tracked(const std::function<void(Tracker&)>& track,
                                               const std::vector<std::string>& texts) {
  std::vector<std::string> tracked;
  RunInNewNamespace([&] {
    Tracker tracker;
    track(tracker);
    std::vector<IpAddress> addresses(texts.size());
    std::ranges::transform(texts, addresses.begin(), Address);
    for (const IpAddress& each : TrackedOf(addresses)) tracked.push_back(each.ToString());
  });
  return tracked;
}

using Texts = std::vector<std::string>;

using TrackedAddresses = NamespaceTest;

TEST_F(TrackedAddresses, AreNoneWhereNothingIsTracked) {
  EXPECT_EQ(Tracked([](Tracker&) {}, {"10.168.0.2", "fd00::2"}), Texts{});
}

TEST_F(TrackedAddresses, AreWhoeverBeginsOrAnswers) {
  const auto track = [](Tracker& tracker) {
    tracker.Track("10.168.0.2", "192.0.2.1", "203.0.113.1");
    tracker.Track("192.0.2.1", "10.168.0.3", "192.0.2.1");
  };
  EXPECT_EQ(Tracked(track, {"10.168.0.1", "10.168.0.2", "10.168.0.3", "10.168.0.4"}),
            (Texts{"10.168.0.2", "10.168.0.3"}));
}

TEST_F(TrackedAddresses, AreNoBeginningsOfOthers) {
  const auto track = [](Tracker& tracker) { tracker.Track("10.168.0.20", "192.0.2.1", "203.0.113.1"); };
  EXPECT_EQ(Tracked(track, {"10.168.0.2", "0.168.0.20"}), Texts{});
}

TEST_F(TrackedAddresses, MayBeOfIpv6) {
  const auto track = [](Tracker& tracker) {
    tracker.Track("fd00::2", "2001:db8::1", "fd00::2");
    tracker.Track("2001:db8::3", "fd00::1:0:3", "2001:db8::3");
  };
  EXPECT_EQ(Tracked(track, {"fd00::2", "fd00::1:0:3", "fd00::4"}), (Texts{"fd00::2", "fd00::1:0:3"}));
}

// More than the kernel lists at once.
TEST_F(TrackedAddresses, AreFoundAmongManyConnections) {
  constexpr std::uint16_t kMany = 500;
  const auto track = [](Tracker& tracker) {
    for (std::uint16_t port = 1; port <= kMany; ++port) {
      tracker.Track("198.51.100.1", "192.0.2.1", "198.51.100.1", port);
      if (port % 100 != 0) continue;
      const std::string guest = "10.168.0." + std::to_string(port / 100);
      tracker.Track(guest, "192.0.2.1", guest, port);
    }
  };
  EXPECT_EQ(Tracked(track, {"10.168.0.1", "10.168.0.3", "10.168.0.5", "10.168.0.6"}),
            (Texts{"10.168.0.1", "10.168.0.3", "10.168.0.5"}));
}

TEST_F(TrackedAddresses, AreAllWhereTheyCannotBeRead) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto forbid = [&before](Tracker&) {
    const rlimit none{3, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  };
  const auto tracked = Tracked(forbid, {"10.168.0.2", "fd00::2"});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(tracked, (Texts{"10.168.0.2", "fd00::2"}));
}

}  // namespace
}  // namespace vulcan

#include "engine/bridge.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "false_kernel.h"
#include "netlink/address.h"
#include "netlink/bridge_link.h"
#include "netlink/link.h"
#include "netlink/rtnl_socket.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

constexpr const char* kName = "br-user";
constexpr const char* kUsersMac = "02:00:00:00:00:01";
constexpr const char* kOurMac = "02:00:00:00:00:02";

[[nodiscard]] BridgePlan Plan() {
  BridgePlan plan;
  plan.name = kName;
  plan.mac = ParseMac(kOurMac).value();
  plan.addresses = {IpPrefix::Parse("10.168.0.1/24").value(), IpPrefix::Parse("10.169.0.1/24").value()};
  return plan;
}

[[nodiscard]] std::size_t CountIpv4(RtnlSocket& socket, int link) {
  std::size_t count = 0;
  for (const LinkAddress& address : DumpAddresses(socket)) {
    if (address.link == link && address.prefix.address.Family() == AF_INET) ++count;
  }
  return count;
}

// What a user's bridge has of the plan's once an answer is lost, so many having arrived before.
struct Outcome {
  bool failed = false;
  bool lost = false;
  std::size_t addresses = 0;
};
[[nodiscard]] Outcome LoseAnswerAfter(int arrivals) {
  RtnlSocket socket;
  socket.Request(NewBridge(kName, ParseMac(kUsersMac).value()));
  Outcome outcome;
  TheFalseKernel().arrivals = arrivals;
  TheFalseKernel().losses = 1;
  try {
    static_cast<void>(EnsureBridge(Plan(), Cancellation()));
  } catch (const Error& error) {
    EXPECT_EQ(error.Errnum(), ENOBUFS) << error.what();
    outcome.failed = true;
  }
  outcome.lost = TheFalseKernel().losses == 0;
  TheFalseKernel() = {};
  outcome.addresses = CountIpv4(socket, FindLink(socket, kName).value().index);
  return outcome;
}

TEST(Bridge, KeepsAUsersOwnAsItWasWhicheverAnswerIsLost) {
  bool was_lost = true;
  for (int arrivals = 0; was_lost; ++arrivals) {
    Outcome outcome;
    try {
      outcome = InNewNamespace([arrivals] { return LoseAnswerAfter(arrivals); });
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
    EXPECT_EQ(outcome.addresses, outcome.failed ? 0U : Plan().addresses.size()) << arrivals;
    was_lost = outcome.lost;
  }
}

}  // namespace
}  // namespace vulcan

#include "engine/firewall.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "engine/firewall_layout.h"
#include "false_kernel.h"
#include "namespace_test.h"

namespace vulcan::firewall {
namespace {

using FirewallTest = NamespaceTest;

[[nodiscard]] Network NetworkOn(const std::string& bridge, const std::string& subnet) {
  Network network;
  network.name = bridge;
  network.bridges = {bridge};
  network.subnets = {subnet};
  return network;
}

void EnsureByAnother(const Network& network) {
  const UniqueFd ns = OpenCurrentNamespace();
  RunInNamespace(ns.Get(), [&] { static_cast<void>(Ensure(network, Cancellation())); });
}

// The kernel refuses what was read before.
TEST_F(FirewallTest, LeavesWhatAnotherHasPutBackBeforeItWasCancelled) {
  RunInNewNamespace([] {
    const Network red = NetworkOn("red", "10.168.0.0/24");
    EnsureByAnother(NetworkOn("blue", "10.169.0.0/24"));
    Cancellation cancellation;
    std::size_t sets_read = 0;
    TheFalseKernel().before = [&](std::uint16_t type) {
      if (type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM) || ++sets_read != Sets().size()) return;
      EnsureByAnother(red);
      cancellation.Cancel();
    };
    EXPECT_THROW(static_cast<void>(Ensure(red, cancellation)), Error);
    EXPECT_EQ(List(Cancellation()), (std::vector<std::string>{"blue", "red"}));
  });
}

// The kernel tells the generation of a commit a moment before that takes effect.
TEST_F(FirewallTest, IsAsItWasMadeWhileAnotherChangesIt) {
  constexpr int kChecks = 100;
  RunInNewNamespace([] {
    const Network red = NetworkOn("red", "10.168.0.0/24");
    static_cast<void>(Ensure(red, Cancellation()));
    const UniqueFd ns = OpenCurrentNamespace();
    std::atomic<bool> stopped{false};
    std::thread other([&] {
      RunInNamespace(ns.Get(), [&] {
        while (!stopped) static_cast<void>(Ensure(NetworkOn("blue", "10.169.0.0/24"), Cancellation()));
      });
    });
    for (int i = 0; i < kChecks; ++i) EXPECT_EQ(Check(red, Cancellation()), std::vector<std::string>());
    stopped = true;
    other.join();
  });
}

}  // namespace
}  // namespace vulcan::firewall

#include "engine/firewall.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstddef>

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

}  // namespace
}  // namespace vulcan::firewall

#include "engine/firewall_elements.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/error.h"
#include "engine/firewall_layout.h"

namespace vulcan::firewall {
namespace {

Network Red() {
  Network network;
  network.name = "red";
  network.bridges = {"red0"};
  network.subnets = {"10.168.0.0/24"};
  network.gateways = {"10.168.0.1"};
  return network;
}

Elements With(const std::vector<std::string>& subnets, const std::string& name = "blue") {
  Network network;
  network.name = name;
  network.subnets = subnets;
  return ElementsOf(network);
}

std::size_t Count(const Elements& elements, const std::string& set) {
  const auto found = elements.find(set);
  return found == elements.end() ? 0 : found->second.size();
}

TEST(FirewallElementsTest, AreOwnedByTheNetwork) {
  for (const auto& [set, elements] : ElementsOf(Red())) {
    for (const nft::Element& element : elements) EXPECT_EQ(element.comment, "red") << set;
  }
}

TEST(FirewallElementsTest, AreStrictByDefault) {
  const Elements elements = ElementsOf(Red());
  for (const char* set : {kHostOpen, kHostPorts, kLinkLocal, kIpv6, kIsolated})
    EXPECT_EQ(Count(elements, set), 0) << set;
  for (const char* set : {kBridges, kSubnets4, kMasquerade4, kGateways4}) {
    EXPECT_EQ(Count(elements, set), 1) << set;
  }
}

TEST(FirewallElementsTest, AreThereForEachBridge) {
  Network network = Red();
  network.bridges = {"red0", "red1"};
  network.services = {{6, 80}, {17, 53}};
  const Elements elements = ElementsOf(network);
  EXPECT_EQ(Count(elements, kBridges), 2);
  EXPECT_EQ(Count(elements, kGateways4), 2);
  EXPECT_EQ(Count(elements, kHostPorts), 4);
}

TEST(FirewallElementsTest, AreThereForAGroupAsForABridge) {
  Network network = Red();
  network.gateways = {"10.168.0.1", "fd78::1"};
  network.ipv6 = true;
  const Elements of_bridge = ElementsOf(network);
  network.bridges = {};
  network.group = 7;
  const Elements of_group = ElementsOf(network);
  EXPECT_EQ(of_group.size(), of_bridge.size());
  for (const char* set : {kGroups, kGroupIpv6, kGroupGateways4, kGroupGateways6}) {
    EXPECT_EQ(Count(of_group, set), 1) << set;
  }
}

TEST(FirewallElementsTest, HaveNoSubnetWithinAnother) {
  const Elements elements = With({"10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/16", "11.0.0.0/8", "10.0.0.0/8"});
  EXPECT_EQ(Count(elements, kSubnets4), 2);
  EXPECT_EQ(Count(elements, kMasquerade4), 2);
}

TEST(FirewallElementsTest, RefuseWhatIsNoAddress) {
  Network network = Red();
  network.gateways = {"10.168.0.1/24"};
  EXPECT_THROW(static_cast<void>(ElementsOf(network)), Error);
  EXPECT_THROW(static_cast<void>(With({"10.168.0.0"})), Error);
  EXPECT_THROW(static_cast<void>(With({""})), Error);
}

TEST(FirewallConflictTest, IsAnOverlapOfSubnets) {
  const Elements present = ElementsOf(Red());
  for (const char* subnet : {"10.168.0.0/24", "10.168.0.128/25", "10.0.0.0/8", "10.168.0.255/32"}) {
    try {
      ThrowIfConflict(present, With({subnet}), "blue");
      ADD_FAILURE() << subnet;
    } catch (const Error& error) {
      EXPECT_EQ(error.Errnum(), EEXIST);
      EXPECT_EQ(error.GetReason(), Reason::kNetworkConflict);
      EXPECT_EQ(error.GetPath(), subnet);
    }
  }
}

TEST(FirewallConflictTest, IsNotWithNeighboursOrOneself) {
  const Elements present = ElementsOf(Red());
  EXPECT_NO_THROW(ThrowIfConflict(present, With({"10.167.255.0/24", "10.168.1.0/24", "fd00::/64"}), "blue"));
  EXPECT_NO_THROW(ThrowIfConflict(present, With({"10.0.0.0/8"}, "red"), "red"));
}

TEST(FirewallLayoutTest, IsReadFromItsComment) {
  EXPECT_EQ(ParseLayout(LayoutComment()), kLayout);
  EXPECT_EQ(ParseLayout("vulcan-net layout 12"), 12);
  EXPECT_EQ(ParseLayout(""), 0);
  EXPECT_EQ(ParseLayout("my own table"), 0);
  EXPECT_EQ(ParseLayout("vulcan-net layout "), 0);
}

}  // namespace
}  // namespace vulcan::firewall

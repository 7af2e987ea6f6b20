#include "engine/firewall_layout.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>

#include "base/immortal.h"
#include "netlink/link_group.h"
#include "nft/chain.h"
#include "nft/rule.h"

namespace vulcan::firewall {
namespace {

using nft::Comparison;
using nft::DataType;
using nft::Membership;
using nft::Rule;

constexpr std::string_view kLayoutPrefix = "vulcan-net layout ";

constexpr const char* kPostrouting = "postrouting";
constexpr const char* kForward = "forward";
constexpr const char* kInput = "input";
constexpr const char* kOutput = "output";
constexpr const char* kGuests = "guests";

// Of linux/netfilter_ipv4.h; that header can't be included beside the C library's.
constexpr std::int32_t kPriorityFilter = 0;
constexpr std::int32_t kPrioritySourceNat = 100;

constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;

IpPrefix Prefix(std::string_view text) { return IpPrefix::Parse(text).value(); }

void AddChains(nft::Batch& batch, const nft::Table& table) {
  const std::vector<nft::Chain> chains = {
      {kGuests, std::nullopt},
      {kPostrouting, nft::Hook{"nat", NF_INET_POST_ROUTING, kPrioritySourceNat}},
      {kForward, nft::Hook{"filter", NF_INET_FORWARD, kPriorityFilter}},
      {kInput, nft::Hook{"filter", NF_INET_LOCAL_IN, kPriorityFilter}},
      {kOutput, nft::Hook{"filter", NF_INET_LOCAL_OUT, kPriorityFilter}},
  };
  for (const nft::Chain& chain : chains) {
    nft::AddChain(batch, table, chain);
    nft::FlushChain(batch, table, chain.name);
  }
}

// What no guest may send, wherever to and however long its connection has existed. Packets that conntrack
// can't place are not translated, and would leave with the guest's own address.
void AddGuestRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kGuests)
      .Ipv6()
      .InLink(kIpv6, Membership::kNotIn)
      .InGroup(kGroupIpv6, Membership::kNotIn)
      .Drop()
      .Append(batch, table);
  Rule(kGuests)
      .Ipv4()
      .Destination(Comparison::kEqual, Prefix("169.254.0.0/16"))
      .InLink(kLinkLocal, Membership::kNotIn)
      .InGroup(kGroupLinkLocal, Membership::kNotIn)
      .Drop()
      .Append(batch, table);
  Rule(kGuests).StateIn(nft::kInvalid).Drop().Append(batch, table);
}

// Loopback is excluded because the host itself may speak to its gateway addresses.
void AddPostroutingRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kPostrouting)
      .Ipv4()
      .SourceIn(kMasquerade4)
      .OutLink(kBridges, Membership::kNotIn)
      .OutGroup(kGroups, Membership::kNotIn)
      .OutNotLoopback()
      .Destination(Comparison::kNotEqual, Prefix("224.0.0.0/4"))
      .Destination(Comparison::kNotEqual, Prefix("255.255.255.255/32"))
      .Masquerade()
      .Append(batch, table);
  Rule(kPostrouting)
      .Ipv6()
      .SourceIn(kMasquerade6)
      .OutLink(kBridges, Membership::kNotIn)
      .OutGroup(kGroups, Membership::kNotIn)
      .OutNotLoopback()
      .Destination(Comparison::kNotEqual, Prefix("ff00::/8"))
      .Masquerade()
      .Append(batch, table);
}

// A port whose bridge was deleted stays up, and no element knows it: neither its bridge's nor a group's.
void AddLostPortRule(nft::Batch& batch, const nft::Table& table, const char* chain) {
  Rule(chain).InGroupIs(kGuestPortGroup).Drop().Append(batch, table);
}

// A guest that sends to the gateway what is meant for another one is routed back to where it came from, past
// what keeps the ports of a bridge from each other.
void AddIsolationRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kForward).InLink(kIsolated).OutLink(kIsolated).Drop().Append(batch, table);
  Rule(kForward).InLink(kIsolated).OutGroup(kGroupIsolated).Drop().Append(batch, table);
  Rule(kForward).InGroup(kGroupIsolated).OutLink(kIsolated).Drop().Append(batch, table);
  Rule(kForward).InGroup(kGroupIsolated).OutGroup(kGroupIsolated).Drop().Append(batch, table);
}

// What is left of a connection that nobody tracks any more, its VM being gone: whoever has the address now
// would be taken for that VM. Conntrack by itself takes such segments for a connection that it has missed the
// beginning of (nf_conntrack_tcp_loose), or for invalid.
void AddLeftConnectionRules(nft::Batch& batch, const nft::Table& table, const char* chain) {
  constexpr std::uint32_t kUntold = nft::kNew | nft::kInvalid;
  Rule(chain).StateIn(kUntold).TcpWithoutSyn().OutLink(kBridges).Drop().Append(batch, table);
  Rule(chain).StateIn(kUntold).TcpWithoutSyn().OutGroup(kGroups).Drop().Append(batch, table);
}

// Into our subnets: answers, and our own networks.
void AddForwardRules(nft::Batch& batch, const nft::Table& table) {
  AddLostPortRule(batch, table, kForward);
  Rule(kForward).InLink(kBridges).Jump(kGuests).Append(batch, table);
  Rule(kForward).InGroup(kGroups).Jump(kGuests).Append(batch, table);
  AddIsolationRules(batch, table);
  Rule(kForward).StateIn(nft::kEstablished | nft::kRelated).Accept().Append(batch, table);
  AddLeftConnectionRules(batch, table, kForward);
  Rule(kForward).InLink(kBridges).Accept().Append(batch, table);
  Rule(kForward).InGroup(kGroups).Accept().Append(batch, table);
  Rule(kForward).OutLink(kBridges).Drop().Append(batch, table);
  Rule(kForward).OutGroup(kGroups).Drop().Append(batch, table);
}

// To the host: answers, pings of the guest's own gateway, and what the network's hostAccess lists.
void AddInputRules(nft::Batch& batch, const nft::Table& table) {
  AddLostPortRule(batch, table, kInput);
  Rule(kInput)
      .InLink(kBridges, Membership::kNotIn)
      .InGroup(kGroups, Membership::kNotIn)
      .Accept()
      .Append(batch, table);
  Rule(kInput).Jump(kGuests).Append(batch, table);
  Rule(kInput).StateIn(nft::kEstablished | nft::kRelated).Accept().Append(batch, table);
  Rule(kInput).StateIn(nft::kNew).TcpWithoutSyn().Drop().Append(batch, table);
  Rule(kInput).InLink(kHostOpen).Accept().Append(batch, table);
  Rule(kInput).InGroup(kGroupHostOpen).Accept().Append(batch, table);
  Rule(kInput).InLinkAndServiceIn(kHostPorts).Accept().Append(batch, table);
  Rule(kInput).InGroupAndServiceIn(kGroupHostPorts).Accept().Append(batch, table);
  Rule(kInput).Ipv4().InLinkAndDestinationIn(kGateways4).IcmpType(ICMP_ECHO).Accept().Append(batch, table);
  Rule(kInput)
      .Ipv4()
      .InGroupAndDestinationIn(kGroupGateways4)
      .IcmpType(ICMP_ECHO)
      .Accept()
      .Append(batch, table);
  Rule(kInput)
      .Ipv6()
      .InLinkAndDestinationIn(kGateways6)
      .IcmpType(ICMPV6_ECHO_REQUEST)
      .Accept()
      .Append(batch, table);
  Rule(kInput)
      .Ipv6()
      .InGroupAndDestinationIn(kGroupGateways6)
      .IcmpType(ICMPV6_ECHO_REQUEST)
      .Accept()
      .Append(batch, table);
  Rule(kInput).Ipv6().IcmpType(kNeighbourSolicitation).Accept().Append(batch, table);
  Rule(kInput).Ipv6().IcmpType(kNeighbourAdvertisement).Accept().Append(batch, table);
  Rule(kInput).Drop().Append(batch, table);
}

}  // namespace

const nft::Table& VulcanTable() {
  static const Immortal table{nft::Table{NFPROTO_INET, "vulcan"}};
  return *table;
}

std::string LayoutComment() { return nft::LayoutComment(kLayoutPrefix, kLayout); }

int ParseLayout(const std::string& comment) { return nft::ParseLayout(kLayoutPrefix, comment); }

const std::vector<nft::Set>& Sets() {
  static const Immortal sets{std::vector<nft::Set>{
      {kBridges, {DataType::kLinkName}, false, "links through which guests come"},
      {kSubnets4, {DataType::kIpv4}, true, "subnets of all networks"},
      {kSubnets6, {DataType::kIpv6}, true, "subnets of all networks"},
      {kMasquerade4, {DataType::kIpv4}, true, "subnets that are masqueraded"},
      {kMasquerade6, {DataType::kIpv6}, true, "subnets that are masqueraded"},
      {kGateways4, {DataType::kLinkName, DataType::kIpv4}, false, "gateways that answer their guests' pings"},
      {kGateways6, {DataType::kLinkName, DataType::kIpv6}, false, "gateways that answer their guests' pings"},
      {kHostOpen, {DataType::kLinkName}, false, "links whose guests reach all of the host"},
      {kHostPorts,
       {DataType::kLinkName, DataType::kProtocol, DataType::kPort},
       false,
       "services of the host that guests reach"},
      {kLinkLocal, {DataType::kLinkName}, false, "links whose guests reach 169.254.0.0/16"},
      {kIpv6, {DataType::kLinkName}, false, "links whose guests may speak IPv6"},
      {kIsolated, {DataType::kLinkName}, false, "links whose guests are kept from each other"},
      {kGroups, {DataType::kLinkGroup}, false, "groups of links through which guests come"},
      {kGroupGateways4,
       {DataType::kLinkGroup, DataType::kIpv4},
       false,
       "gateways that answer their guests' pings"},
      {kGroupGateways6,
       {DataType::kLinkGroup, DataType::kIpv6},
       false,
       "gateways that answer their guests' pings"},
      {kGroupHostOpen, {DataType::kLinkGroup}, false, "groups whose guests reach all of the host"},
      {kGroupHostPorts,
       {DataType::kLinkGroup, DataType::kProtocol, DataType::kPort},
       false,
       "services of the host that guests reach"},
      {kGroupLinkLocal, {DataType::kLinkGroup}, false, "groups whose guests reach 169.254.0.0/16"},
      {kGroupIpv6, {DataType::kLinkGroup}, false, "groups whose guests may speak IPv6"},
      {kGroupIsolated, {DataType::kLinkGroup}, false, "groups whose guests are kept from each other"},
  }};
  return *sets;
}

void AddLayout(nft::Batch& batch) {
  const nft::Table& table = VulcanTable();
  nft::AddTable(batch, table, LayoutComment());
  for (const nft::Set& set : Sets()) nft::AddSet(batch, table, set);
  AddChains(batch, table);
  AddGuestRules(batch, table);
  AddPostroutingRules(batch, table);
  AddForwardRules(batch, table);
  AddInputRules(batch, table);
  AddLeftConnectionRules(batch, table, kOutput);
}

}  // namespace vulcan::firewall

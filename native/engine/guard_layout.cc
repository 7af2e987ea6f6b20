#include "engine/guard_layout.h"

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/immortal.h"
#include "nft/chain.h"
#include "nft/rule.h"

namespace vulcan::guard {
namespace {

using nft::DataType;
using nft::Field;
using nft::Rule;

constexpr const char* kPrerouting = "prerouting";
constexpr const char* kInput = "input";
constexpr const char* kGuard = "guard";

// Of linux/netfilter_bridge.h (NF_BR_PRE_ROUTING, NF_BR_PRI_FIRST is INT_MIN); that header can't be included
// beside the C library's. -300 is where others filter, the bridge plugin's macspoofchk among them.
constexpr std::uint32_t kHookPrerouting = 0;
constexpr std::int32_t kPriority = -300;
// Before fragments are put together (NF_IP_PRI_CONNTRACK_DEFRAG), each of which has a sender.
constexpr std::int32_t kPriorityRouted = -450;
// Of linux/netfilter_arp.h.
constexpr std::uint32_t kHookArpInput = 0;

constexpr Field kEthernetSource{NFT_PAYLOAD_LL_HEADER, 6, 6};
// ARP for IPv4 over Ethernet: RFC 826's hardware type, protocol type and both lengths; then the sender.
constexpr Field kArpKind{NFT_PAYLOAD_NETWORK_HEADER, 0, 6};
constexpr std::array kArpIpv4OverEthernet = {std::byte{0}, std::byte{1}, std::byte{8},
                                             std::byte{0}, std::byte{6}, std::byte{4}};
constexpr Field kArpSenderMac{NFT_PAYLOAD_NETWORK_HEADER, 8, 6};
constexpr Field kArpSender{NFT_PAYLOAD_NETWORK_HEADER, 14, 4};
constexpr Field kSourceIpv4{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
constexpr Field kSourceIpv6{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
// Whom a neighbour advertisement speaks for, and a solicitation asks for.
constexpr Field kTarget{NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16};
constexpr std::array<std::byte, 16> kUnspecified{};

constexpr std::uint8_t kRouterAdvertisement = 134;
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;
constexpr std::uint8_t kRedirect = 137;

// Frame and claim must both be the port's.
Rule& OwnArp(Rule& rule) {
  const std::string& bindings4 = Bindings4().name;
  return rule.FieldIs(kArpKind, kArpIpv4OverEthernet)
      .InLinkMacAndAddressIn(bindings4, kEthernetSource, kArpSender)
      .InLinkMacAndAddressIn(bindings4, kArpSenderMac, kArpSender);
}

// What follows on what says that a packet is IPv6: the guest is no router, and speaks for itself alone.
template <typename MatchIpv6>
void AddIpv6Rules(nft::Batch& batch, const nft::Table& table, MatchIpv6 ipv6) {
  const std::string& bindings6 = Bindings6().name;
  for (const std::uint8_t type : {kRouterAdvertisement, kRedirect}) {
    Rule rule(kGuard);
    ipv6(rule).IcmpType(type).Drop().Append(batch, table);
  }
  Rule advertisement(kGuard);
  ipv6(advertisement)
      .IcmpType(kNeighbourAdvertisement)
      .InLinkMacAndAddressNotIn(bindings6, kEthernetSource, kTarget)
      .Drop()
      .Append(batch, table);
  // Who asks from no address says that the target is about to be his own: a host that is about to have it,
  // too, gives it up (ndisc_recv_ns of net/ipv6/ndisc.c).
  Rule(kGuard)
      .EtherType(ETH_P_IPV6)
      .IcmpType(kNeighbourSolicitation)
      .FieldIs(kSourceIpv6, kUnspecified)
      .InLinkMacAndAddressNotIn(bindings6, kEthernetSource, kTarget)
      .Drop()
      .Append(batch, table);
  Rule own(kGuard);
  ipv6(own).InLinkMacAndAddressIn(bindings6, kEthernetSource, kSourceIpv6).Accept().Append(batch, table);
}

void AddBridgeRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kGuard)
      .EtherType(ETH_P_IP)
      .InLinkMacAndAddressIn(Bindings4().name, kEthernetSource, kSourceIpv4)
      .Accept()
      .Append(batch, table);
  Rule arp(kGuard);
  OwnArp(arp.EtherType(ETH_P_ARP)).Accept().Append(batch, table);
  AddIpv6Rules(batch, table, [](Rule& rule) -> Rule& { return rule.EtherType(ETH_P_IPV6); });
}

void AddRoutedRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kGuard)
      .Ipv4()
      .InLinkMacAndAddressIn(Bindings4().name, kEthernetSource, kSourceIpv4)
      .Accept()
      .Append(batch, table);
  AddIpv6Rules(batch, table, [](Rule& rule) -> Rule& { return rule.Ipv6(); });
}

void AddArpRules(nft::Batch& batch, const nft::Table& table) {
  Rule arp(kGuard);
  OwnArp(arp).Accept().Append(batch, table);
}

// Where frames are looked at, and by what.
struct Part {
  nft::Table table;
  nft::Chain chain;
  void (*add_rules)(nft::Batch&, const nft::Table&);
};

const std::vector<Part>& Parts() {
  static const Immortal parts{std::vector<Part>{
      {BridgeTable(), {kPrerouting, nft::Hook{"filter", kHookPrerouting, kPriority}}, AddBridgeRules},
      {RoutedTable(),
       {kPrerouting, nft::Hook{"filter", NF_INET_PRE_ROUTING, kPriorityRouted}},
       AddRoutedRules},
      {ArpTable(), {kInput, nft::Hook{"filter", kHookArpInput, kPriority}}, AddArpRules},
  }};
  return *parts;
}

}  // namespace

const nft::Table& BridgeTable() {
  static const Immortal table{nft::Table{NFPROTO_BRIDGE, "vulcan"}};
  return *table;
}

const nft::Table& RoutedTable() {
  static const Immortal table{nft::Table{NFPROTO_INET, "vulcan_guard"}};
  return *table;
}

const nft::Table& ArpTable() {
  static const Immortal table{nft::Table{NFPROTO_ARP, "vulcan_guard"}};
  return *table;
}

const std::vector<nft::Table>& Tables(bool routed) {
  static const Immortal bridge{std::vector<nft::Table>{BridgeTable()}};
  static const Immortal host{std::vector<nft::Table>{RoutedTable(), ArpTable()}};
  return routed ? *host : *bridge;
}

std::string LayoutComment() { return "vulcan-net guard " + std::to_string(kLayout); }

const nft::Set& Ports() {
  static const Immortal set{
      nft::Set{"ports", {DataType::kLinkName}, false, "links whose frames are looked at"}};
  return *set;
}

const nft::Set& Bindings4() {
  static const Immortal set{nft::Set{"bindings4",
                                     {DataType::kLinkName, DataType::kMac, DataType::kIpv4},
                                     false,
                                     "what the guest behind a link may say it is"}};
  return *set;
}

const nft::Set& Bindings6() {
  static const Immortal set{nft::Set{"bindings6",
                                     {DataType::kLinkName, DataType::kMac, DataType::kIpv6},
                                     false,
                                     "what the guest behind a link may say it is"}};
  return *set;
}

void AddLayout(nft::Batch& batch, const nft::Table& table) {
  const auto is_it = [&](const Part& part) { return part.table.family == table.family; };
  const Part& part = *std::find_if(Parts().begin(), Parts().end(), is_it);
  nft::AddTable(batch, table, LayoutComment());
  for (const nft::Set* set : {&Ports(), &Bindings4(), &Bindings6()}) nft::AddSet(batch, table, *set);
  nft::AddChain(batch, table, {kGuard, std::nullopt});
  nft::AddChain(batch, table, part.chain);
  for (const std::string& chain : {std::string(kGuard), part.chain.name}) {
    nft::FlushChain(batch, table, chain);
  }
  Rule(part.chain.name).InLink(Ports().name).Goto(kGuard).Append(batch, table);
  part.add_rules(batch, table);
  // The counter says that somebody tried.
  Rule(kGuard).Count().Drop().Append(batch, table);
}

}  // namespace vulcan::guard

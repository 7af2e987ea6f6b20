#include "engine/guard_layout.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/immortal.h"
#include "nft/chain.h"
#include "nft/rule.h"

namespace vulcan::guard {
namespace {

using nft::Comparison;
using nft::DataType;
using nft::Field;
using nft::Rule;

constexpr std::string_view kLayoutPrefix = "vulcan-net guard ";
constexpr const char* kPrerouting = "prerouting";
constexpr const char* kInput = "input";
constexpr const char* kGuard = "guard";
constexpr const char* kIpv4 = "ipv4";
constexpr const char* kIpv6 = "ipv6";
constexpr const char* kFragments = "fragments";

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

constexpr std::uint16_t kDhcpServerPort = 67;
constexpr std::uint16_t kDhcp6ServerPort = 547;
constexpr std::array kIgmpQuery = {std::byte{0x11}};
constexpr Field kIgmpType{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};

// Errors and echoes.
constexpr std::uint8_t kFirstPlainIcmp = 1;
constexpr std::uint8_t kLastPlainIcmp = 129;
// Of who listens to what: reports of MLDv1 and its good-byes, reports of MLDv2. Queries (130) are a router's.
constexpr std::uint8_t kListenerReport = 131;
constexpr std::uint8_t kListenerDone = 132;
constexpr std::uint8_t kListenerReport2 = 143;
constexpr std::uint8_t kRouterSolicitation = 133;
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;

// What tells others whom to reach by which MAC, in an option behind the message's own fields.
struct Discovery {
  std::uint8_t type;
  std::uint8_t bytes;
  std::uint8_t option;
  bool has_target;
};
constexpr std::array kDiscoveries = {
    Discovery{kRouterSolicitation, 8, 1, false},
    Discovery{kNeighbourSolicitation, 24, 1, false},
    Discovery{kNeighbourAdvertisement, 24, 2, true},
};
// IPv6's own header: the payload's length and what it is.
constexpr Field kLengthAndNextHeader{NFT_PAYLOAD_NETWORK_HEADER, 4, 3};

// Behind these another header may follow, which the next fragment may have: HOPOPTS, ROUTING, FRAGMENT,
// DSTOPTS. What a frame has behind its packet's end, the kernel reads as if it were the packet's, too.
constexpr std::array<std::uint8_t, 6> kLookedInto = {0, 43, 44, 60, IPPROTO_UDP, IPPROTO_ICMPV6};

// Frame and claim must both be the port's.
Rule& OwnArp(Rule& rule) {
  const std::string& bindings4 = Bindings4().name;
  return rule.FieldIs(kArpKind, kArpIpv4OverEthernet)
      .InLinkMacAndAddressIn(bindings4, kEthernetSource, kArpSender)
      .InLinkMacAndAddressIn(bindings4, kArpSenderMac, kArpSender);
}

// Also from the unspecified address, which every guest that speaks IPv6 has.
Rule& OwnOrUnspecified(Rule& rule) {
  return rule.InLinkMacAndAddressIn(Bindings6().name, kEthernetSource, kSourceIpv6);
}

Rule& OwnIpv6(Rule& rule) { return OwnOrUnspecified(rule.FieldIsNot(kSourceIpv6, kUnspecified)); }

void AcceptOwn(Rule& rule, nft::Batch& batch, const nft::Table& table) {
  OwnIpv6(rule).Accept().Append(batch, table);
}

// The guest is no server of addresses, and asks nobody who listens to what.
void AddIpv4Rules(nft::Batch& batch, const nft::Table& table) {
  Rule(kIpv4).UdpSourcePort(Comparison::kEqual, kDhcpServerPort).Drop().Append(batch, table);
  Rule(kIpv4)
      .Protocol(Comparison::kEqual, IPPROTO_IGMP)
      .FieldIs(kIgmpType, kIgmpQuery)
      .Drop()
      .Append(batch, table);
  Rule(kIpv4)
      .InLinkMacAndAddressIn(Bindings4().name, kEthernetSource, kSourceIpv4)
      .Accept()
      .Append(batch, table);
}

// Only the first fragment says what all of them are. Neighbours are never discovered in fragments (RFC 6980).
void AddFragmentRules(nft::Batch& batch, const nft::Table& table) {
  AcceptOwn(Rule(kFragments).LaterFragment(), batch, table);
  AcceptOwn(Rule(kFragments).FragmentOfNone(kLookedInto), batch, table);
  AcceptOwn(Rule(kFragments).FragmentOf(IPPROTO_UDP).UdpSourcePort(Comparison::kNotEqual, kDhcp6ServerPort),
            batch, table);
  AcceptOwn(Rule(kFragments).FragmentOf(IPPROTO_ICMPV6).IcmpTypeIn(kFirstPlainIcmp, kLastPlainIcmp), batch,
            table);
}

// The guest speaks for itself alone. Options that tell a MAC come first, as in the kernel's own messages, or
// there are none.
void AddDiscoveryRules(nft::Batch& batch, const nft::Table& table) {
  const std::string& bindings6 = Bindings6().name;
  // Who asks from no address says that the target is about to be his own: a host that is about to have it,
  // too, gives it up (ndisc_recv_ns of net/ipv6/ndisc.c).
  Rule(kIpv6)
      .IcmpType(kNeighbourSolicitation)
      .FieldIs(kSourceIpv6, kUnspecified)
      .InLinkMacAndAddressIn(bindings6, kEthernetSource, kTarget)
      .Accept()
      .Append(batch, table);
  for (const Discovery& each : kDiscoveries) {
    const auto message = [&] {
      Rule rule(kIpv6);
      OwnIpv6(rule.IcmpType(each.type));
      if (each.has_target) rule.InLinkMacAndAddressIn(bindings6, kEthernetSource, kTarget);
      return rule;
    };
    const std::array alone = {std::byte{0}, std::byte{each.bytes}, std::byte{IPPROTO_ICMPV6}};
    message().FieldIs(kLengthAndNextHeader, alone).Accept().Append(batch, table);
    const std::array option = {std::byte{each.option}, std::byte{1}};
    message()
        .FieldIs({NFT_PAYLOAD_TRANSPORT_HEADER, each.bytes, 2}, option)
        .InLinkMacAndAddressIn(bindings6, {NFT_PAYLOAD_TRANSPORT_HEADER, each.bytes + 2U, 6},
                               each.has_target ? kTarget : kSourceIpv6)
        .Accept()
        .Append(batch, table);
  }
}

// A header that the kernel does not find ends its rule, so each says what passes.
void AddIpv6Rules(nft::Batch& batch, const nft::Table& table) {
  Rule(kIpv6).Fragment().Goto(kFragments).Append(batch, table);
  AcceptOwn(Rule(kIpv6)
                .Protocol(Comparison::kNotEqual, IPPROTO_ICMPV6)
                .Protocol(Comparison::kNotEqual, IPPROTO_UDP),
            batch, table);
  AcceptOwn(Rule(kIpv6).UdpSourcePort(Comparison::kNotEqual, kDhcp6ServerPort), batch, table);
  AcceptOwn(Rule(kIpv6).IcmpTypeIn(kFirstPlainIcmp, kLastPlainIcmp), batch, table);
  AddDiscoveryRules(batch, table);
  Rule report(kIpv6);
  OwnOrUnspecified(report.IcmpTypeIn(kListenerReport, kListenerDone)).Accept().Append(batch, table);
  Rule report2(kIpv6);
  OwnOrUnspecified(report2.IcmpType(kListenerReport2)).Accept().Append(batch, table);
}

void AddIpRules(nft::Batch& batch, const nft::Table& table) {
  AddIpv4Rules(batch, table);
  AddIpv6Rules(batch, table);
  AddFragmentRules(batch, table);
}

void AddBridgeRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kGuard).EtherType(ETH_P_IP).Jump(kIpv4).Append(batch, table);
  Rule arp(kGuard);
  OwnArp(arp.EtherType(ETH_P_ARP)).Accept().Append(batch, table);
  Rule(kGuard).EtherType(ETH_P_IPV6).Jump(kIpv6).Append(batch, table);
  AddIpRules(batch, table);
}

void AddRoutedRules(nft::Batch& batch, const nft::Table& table) {
  Rule(kGuard).Ipv4().Jump(kIpv4).Append(batch, table);
  Rule(kGuard).Ipv6().Jump(kIpv6).Append(batch, table);
  AddIpRules(batch, table);
}

void AddArpRules(nft::Batch& batch, const nft::Table& table) {
  Rule arp(kGuard);
  OwnArp(arp).Accept().Append(batch, table);
}

// Where frames are looked at, and by what.
struct Part {
  nft::Table table;
  nft::Chain chain;
  // Those that `guard` has its rules in.
  std::vector<const char*> chains;
  void (*add_rules)(nft::Batch&, const nft::Table&);
};

const std::vector<Part>& Parts() {
  static const Immortal parts{std::vector<Part>{
      {BridgeTable(),
       {kPrerouting, nft::Hook{"filter", kHookPrerouting, kPriority}},
       {kIpv4, kIpv6, kFragments},
       AddBridgeRules},
      {RoutedTable(),
       {kPrerouting, nft::Hook{"filter", NF_INET_PRE_ROUTING, kPriorityRouted}},
       {kIpv4, kIpv6, kFragments},
       AddRoutedRules},
      {ArpTable(), {kInput, nft::Hook{"filter", kHookArpInput, kPriority}}, {}, AddArpRules},
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

std::string LayoutComment() { return nft::LayoutComment(kLayoutPrefix, kLayout); }

int ParseLayout(const std::string& comment) { return nft::ParseLayout(kLayoutPrefix, comment); }

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

std::array<const nft::Set*, 3> Sets() { return {&Ports(), &Bindings4(), &Bindings6()}; }

void AddLayout(nft::Batch& batch, const nft::Table& table) {
  const auto is_it = [&](const Part& part) { return part.table.family == table.family; };
  const Part& part = *std::find_if(Parts().begin(), Parts().end(), is_it);
  nft::AddTable(batch, table, LayoutComment());
  for (const nft::Set* set : Sets()) nft::AddSet(batch, table, *set);
  std::vector<nft::Chain> chains = {{kGuard, std::nullopt}, part.chain};
  for (const char* each : part.chains) chains.push_back({each, std::nullopt});
  for (const nft::Chain& chain : chains) nft::AddChain(batch, table, chain);
  for (const nft::Chain& chain : chains) nft::FlushChain(batch, table, chain.name);
  Rule(part.chain.name).InLink(Ports().name).Goto(kGuard).Append(batch, table);
  part.add_rules(batch, table);
  // The counter says that somebody tried.
  Rule(kGuard).Count().Drop().Append(batch, table);
}

}  // namespace vulcan::guard

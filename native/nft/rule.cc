#include "nft/rule.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <cstring>

namespace vulcan::nft {
namespace {

constexpr Field kSourceIpv4{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
constexpr Field kDestinationIpv4{NFT_PAYLOAD_NETWORK_HEADER, 16, 4};
constexpr Field kSourceIpv6{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
constexpr Field kDestinationIpv6{NFT_PAYLOAD_NETWORK_HEADER, 24, 16};
constexpr Field kEtherType{NFT_PAYLOAD_LL_HEADER, 12, 2};
constexpr Field kIcmpType{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};
constexpr Field kDestinationPort{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};
constexpr Field kSourcePort{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2};
constexpr Field kTcpFlags{NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1};
constexpr std::uint8_t kSyn = 2;
constexpr std::uint32_t kLoopbackIndex = 1;

// A number as the kernel keeps it in a register.
std::array<std::byte, sizeof(std::uint32_t)> Word(std::uint32_t number) {
  std::array<std::byte, sizeof number> bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::array<std::byte, 1> Byte(std::uint8_t number) { return {std::byte{number}}; }

std::array<std::byte, sizeof(std::uint16_t)> InNetworkOrder(std::uint16_t number) {
  return {std::byte(number >> 8), std::byte(number & 0xff)};
}

}  // namespace

Rule::Rule(std::string chain) : chain_(std::move(chain)), handle_(Own<RuleHandle>(nftnl_rule_alloc())) {
  nftnl_rule_set_str(handle_.get(), NFTNL_RULE_CHAIN, chain_.c_str());
}

Rule& Rule::Then(ExpressionHandle expression) {
  nftnl_rule_add_expr(handle_.get(), expression.release());
  return *this;
}

Rule& Rule::LinkIn(std::uint32_t key, const std::string& set, Membership membership) {
  return Then(LoadMeta(key)).Then(Lookup(set, membership));
}

Rule& Rule::InLink(const std::string& set, Membership membership) {
  return LinkIn(NFT_META_IIFNAME, set, membership);
}

Rule& Rule::OutLink(const std::string& set, Membership membership) {
  return LinkIn(NFT_META_OIFNAME, set, membership);
}

Rule& Rule::InGroup(const std::string& set, Membership membership) {
  return LinkIn(NFT_META_IIFGROUP, set, membership);
}

Rule& Rule::OutGroup(const std::string& set, Membership membership) {
  return LinkIn(NFT_META_OIFGROUP, set, membership);
}

Rule& Rule::InGroupIs(std::uint32_t group) {
  return Then(LoadMeta(NFT_META_IIFGROUP)).Then(Compare(Comparison::kEqual, Word(group)));
}

Rule& Rule::OutNotLoopback() {
  return Then(LoadMeta(NFT_META_OIF)).Then(Compare(Comparison::kNotEqual, Word(kLoopbackIndex)));
}

Rule& Rule::StateIn(std::uint32_t states) {
  return Then(LoadState()).Then(Mask(Word(states))).Then(Compare(Comparison::kNotEqual, Word(0)));
}

Rule& Rule::Family(std::uint8_t family) {
  family_ = family;
  return Then(LoadMeta(NFT_META_NFPROTO)).Then(Compare(Comparison::kEqual, Byte(family)));
}

Rule& Rule::Ipv4() { return Family(NFPROTO_IPV4); }

Rule& Rule::Ipv6() { return Family(NFPROTO_IPV6); }

Rule& Rule::SourceIn(const std::string& set) {
  return Then(LoadField(family_ == NFPROTO_IPV4 ? kSourceIpv4 : kSourceIpv6))
      .Then(Lookup(set, Membership::kIn));
}

Rule& Rule::Destination(Comparison comparison, const IpPrefix& prefix) {
  Then(LoadField(prefix.address.Family() == AF_INET ? kDestinationIpv4 : kDestinationIpv6));
  if (prefix.length < prefix.address.Bits()) Then(Mask(ToMask(prefix)));
  return Then(Compare(comparison, ToRange(prefix).first));
}

Rule& Rule::LoadIcmpType() {
  const std::uint8_t protocol =
      family_ == NFPROTO_IPV4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
  return Protocol(Comparison::kEqual, protocol).Then(LoadField(kIcmpType));
}

Rule& Rule::IcmpType(std::uint8_t type) {
  return LoadIcmpType().Then(Compare(Comparison::kEqual, Byte(type)));
}

Rule& Rule::IcmpTypeIn(std::uint8_t first, std::uint8_t last) {
  return LoadIcmpType()
      .Then(Compare(Comparison::kAtLeast, Byte(first)))
      .Then(Compare(Comparison::kAtMost, Byte(last)));
}

Rule& Rule::Protocol(Comparison comparison, std::uint8_t protocol) {
  return Then(LoadMeta(NFT_META_L4PROTO)).Then(Compare(comparison, Byte(protocol)));
}

Rule& Rule::UdpSourcePort(Comparison comparison, std::uint16_t port) {
  return Protocol(Comparison::kEqual, IPPROTO_UDP)
      .Then(LoadField(kSourcePort))
      .Then(Compare(comparison, InNetworkOrder(port)));
}

Rule& Rule::TcpWithoutSyn() {
  return Protocol(Comparison::kEqual, IPPROTO_TCP)
      .Then(LoadField(kTcpFlags))
      .Then(Mask(Byte(kSyn)))
      .Then(Compare(Comparison::kEqual, Byte(0)));
}

Rule& Rule::Fragment() { return Then(LoadIsFragment()).Then(Compare(Comparison::kEqual, Byte(1))); }

Rule& Rule::LaterFragment() {
  return Then(LoadFragmentField(2, 2))
      .Then(Mask(InNetworkOrder(0xfff8)))
      .Then(Compare(Comparison::kNotEqual, InNetworkOrder(0)));
}

Rule& Rule::FragmentOfNone(std::span<const std::uint8_t> protocols) {
  Then(LoadFragmentField(0, 1));
  for (const std::uint8_t each : protocols) Then(Compare(Comparison::kNotEqual, Byte(each)));
  return *this;
}

Rule& Rule::FragmentOf(std::uint8_t protocol) {
  return Then(LoadFragmentField(0, 1)).Then(Compare(Comparison::kEqual, Byte(protocol)));
}

Rule& Rule::InLinkAndDestinationIn(const std::string& set) {
  return Then(LoadMeta(NFT_META_IIFNAME))
      .Then(LoadField(family_ == NFPROTO_IPV4 ? kDestinationIpv4 : kDestinationIpv6, kAfterLink))
      .Then(Lookup(set, Membership::kIn));
}

Rule& Rule::InGroupAndDestinationIn(const std::string& set) {
  return Then(LoadMeta(NFT_META_IIFGROUP))
      .Then(LoadField(family_ == NFPROTO_IPV4 ? kDestinationIpv4 : kDestinationIpv6, kAfterGroup))
      .Then(Lookup(set, Membership::kIn));
}

Rule& Rule::InGroupAndServiceIn(const std::string& set) {
  return Then(LoadMeta(NFT_META_IIFGROUP))
      .Then(LoadMeta(NFT_META_L4PROTO, kAfterGroup))
      .Then(LoadField(kDestinationPort, kAfterGroupAndWord))
      .Then(Lookup(set, Membership::kIn));
}

Rule& Rule::InLinkAndServiceIn(const std::string& set) {
  return Then(LoadMeta(NFT_META_IIFNAME))
      .Then(LoadMeta(NFT_META_L4PROTO, kAfterLink))
      .Then(LoadField(kDestinationPort, kAfterLinkAndWord))
      .Then(Lookup(set, Membership::kIn));
}

Rule& Rule::EtherType(std::uint16_t type) {
  if (type == ETH_P_IP) family_ = NFPROTO_IPV4;
  if (type == ETH_P_IPV6) family_ = NFPROTO_IPV6;
  return FieldIs(kEtherType, InNetworkOrder(type));
}

Rule& Rule::FieldIs(Field field, std::span<const std::byte> value) {
  return Then(LoadField(field)).Then(Compare(Comparison::kEqual, value));
}

Rule& Rule::FieldIsNot(Field field, std::span<const std::byte> value) {
  return Then(LoadField(field)).Then(Compare(Comparison::kNotEqual, value));
}

Rule& Rule::LoadLinkMacAndAddress(Field mac, Field address) {
  return Then(LoadMeta(NFT_META_IIFNAME))
      .Then(LoadField(mac, kAfterLink))
      .Then(LoadField(address, kAfterLinkAndMac));
}

Rule& Rule::InLinkMacAndAddressIn(const std::string& set, Field mac, Field address) {
  return LoadLinkMacAndAddress(mac, address).Then(Lookup(set, Membership::kIn));
}

Rule& Rule::Count() { return Then(Counter()); }

Rule& Rule::Accept() { return Then(Verdict(NF_ACCEPT)); }

Rule& Rule::Drop() { return Then(Verdict(NF_DROP)); }

Rule& Rule::Jump(const std::string& chain) {
  return Then(Verdict(static_cast<std::uint32_t>(NFT_JUMP), chain));
}

Rule& Rule::Goto(const std::string& chain) {
  return Then(Verdict(static_cast<std::uint32_t>(NFT_GOTO), chain));
}

Rule& Rule::Masquerade() { return Then(nft::Masquerade()); }

void Rule::Append(Batch& batch, const Table& table) {
  nftnl_rule_set_str(handle_.get(), NFTNL_RULE_TABLE, table.name.c_str());
  batch.Add(NFT_MSG_NEWRULE, table.family, NLM_F_CREATE | NLM_F_APPEND, "chain " + chain_,
            [this](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, handle_.get()); });
}

std::size_t CountRules(Socket& socket, const Table& table) {
  const auto wanted = Own<RuleHandle>(nftnl_rule_alloc());
  nftnl_rule_set_str(wanted.get(), NFTNL_RULE_TABLE, table.name.c_str());
  return socket
      .Dump(NFT_MSG_GETRULE, table.family,
            [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, wanted.get()); })
      .size();
}

}  // namespace vulcan::nft

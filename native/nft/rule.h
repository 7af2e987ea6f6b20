#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "nft/batch.h"
#include "nft/expression.h"
#include "nft/handle.h"
#include "nft/range.h"
#include "nft/socket.h"
#include "nft/table.h"

namespace vulcan::nft {

// Conntrack states, as the kernel's bit mask has them.
inline constexpr std::uint32_t kInvalid = 1;
inline constexpr std::uint32_t kEstablished = 2;
inline constexpr std::uint32_t kRelated = 4;
inline constexpr std::uint32_t kNew = 8;

// A rule, read from left to right as nft(8) writes it: Rule("input").InLink("bridges").Drop().
// The packet goes on to what follows only while it matches.
class Rule {
 public:
  explicit Rule(std::string chain);

  Rule& InLink(const std::string& set, Membership membership = Membership::kIn);
  Rule& OutLink(const std::string& set, Membership membership = Membership::kIn);
  // A link's group, a number that many links may share.
  Rule& InGroup(const std::string& set, Membership membership = Membership::kIn);
  Rule& OutGroup(const std::string& set, Membership membership = Membership::kIn);
  Rule& InGroupIs(std::uint32_t group);
  Rule& OutNotLoopback();
  Rule& StateIn(std::uint32_t states);
  Rule& Ipv4();
  Rule& Ipv6();

  // These look into the headers of the family that was matched before, else of IPv6.
  Rule& SourceIn(const std::string& set);
  Rule& Destination(Comparison comparison, const IpPrefix& prefix);
  Rule& IcmpType(std::uint8_t type);
  // From first to last.
  Rule& IcmpTypeIn(std::uint8_t first, std::uint8_t last);
  // The set's key is link name . address.
  Rule& InLinkAndDestinationIn(const std::string& set);
  // The set's key is link group . address.
  Rule& InGroupAndDestinationIn(const std::string& set);

  // The set's key is link name . protocol . port.
  Rule& InLinkAndServiceIn(const std::string& set);
  // The set's key is link group . protocol . port.
  Rule& InGroupAndServiceIn(const std::string& set);

  Rule& Protocol(Comparison comparison, std::uint8_t protocol);
  Rule& UdpSourcePort(Comparison comparison, std::uint16_t port);
  // Of TCP, what begins no connection.
  Rule& TcpWithoutSyn();
  // IPv6 packets with a fragment header.
  Rule& Fragment();
  // Those but the first.
  Rule& LaterFragment();
  // What it says that the fragments are of: none of these.
  Rule& FragmentOfNone(std::span<const std::uint8_t> protocols);
  Rule& FragmentOf(std::uint8_t protocol);

  // In table family bridge: the type as it stands in the frame, which a VLAN tag hides.
  Rule& EtherType(std::uint16_t type);
  // Goes on only if the field has these bytes.
  Rule& FieldIs(Field field, std::span<const std::byte> value);
  Rule& FieldIsNot(Field field, std::span<const std::byte> value);
  // The set's key is link name . MAC . address: the link that the frame came in on, and two of its fields.
  Rule& InLinkMacAndAddressIn(const std::string& set, Field mac, Field address);
  // Counts the packets and bytes that come this far.
  Rule& Count();

  Rule& Accept();
  Rule& Drop();
  Rule& Jump(const std::string& chain);
  Rule& Goto(const std::string& chain);
  Rule& Masquerade();

  // At the end of its chain.
  void Append(Batch& batch, const Table& table);

 private:
  Rule& Then(ExpressionHandle expression);
  Rule& LinkIn(std::uint32_t key, const std::string& set, Membership membership);
  Rule& Family(std::uint8_t family);
  Rule& LoadIcmpType();
  Rule& LoadLinkMacAndAddress(Field mac, Field address);

  std::string chain_;
  // The family that was matched, or NFPROTO_UNSPEC.
  std::uint8_t family_ = 0;
  RuleHandle handle_;
};

// How many rules the table has, in all of its chains.
[[nodiscard]] std::size_t CountRules(Socket& socket, const Table& table);

}  // namespace vulcan::nft

#pragma once

#include <cstdint>
#include <string>

#include "nft/batch.h"
#include "nft/expression.h"
#include "nft/handle.h"
#include "nft/range.h"
#include "nft/table.h"

namespace vulcan::nft {

// Conntrack states, as the kernel's bit mask has them.
inline constexpr std::uint32_t kInvalid = 1;
inline constexpr std::uint32_t kEstablished = 2;
inline constexpr std::uint32_t kRelated = 4;

// A rule, read from left to right as nft(8) writes it: Rule("input").InLink("bridges").Drop().
// The packet goes on to what follows only while it matches.
class Rule {
 public:
  explicit Rule(std::string chain);

  Rule& InLink(const std::string& set, Membership membership = Membership::kIn);
  Rule& OutLink(const std::string& set, Membership membership = Membership::kIn);
  Rule& OutNotLoopback();
  Rule& StateIn(std::uint32_t states);
  Rule& Ipv4();
  Rule& Ipv6();

  // These look into the headers of the family that was matched before.
  Rule& SourceIn(const std::string& set);
  Rule& Destination(Comparison comparison, const IpPrefix& prefix);
  Rule& IcmpType(std::uint8_t type);
  // The set's key is link name . address.
  Rule& InLinkAndDestinationIn(const std::string& set);

  // The set's key is link name . protocol . port.
  Rule& InLinkAndServiceIn(const std::string& set);

  Rule& Accept();
  Rule& Drop();
  Rule& Jump(const std::string& chain);
  Rule& Masquerade();

  // At the end of its chain.
  void Append(Batch& batch, const Table& table);

 private:
  Rule& Then(ExpressionHandle expression);
  Rule& LinkIn(std::uint32_t key, const std::string& set, Membership membership);
  Rule& Family(std::uint8_t family);

  std::string chain_;
  // The family that was matched, or NFPROTO_UNSPEC.
  std::uint8_t family_ = 0;
  RuleHandle handle_;
};

}  // namespace vulcan::nft

#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vulcan::nft {

// What netfilter knows in a network namespace.
struct NetfilterState {
  // As Socket::Generation.
  std::uint32_t generation;
  // As Conntrack::Count.
  std::uint32_t connections;
};

// Of the calling thread's namespace.
[[nodiscard]] NetfilterState ReadNetfilterState();

// What the kernel answers when it is asked for a number.
struct NumberAnswer {
  // An errno, or 0.
  int error = 0;
  std::optional<std::uint32_t> number;
  // What it says of the error.
  std::string text;
};

// To NFT_MSG_GETGEN. EOPNOTSUPP where there is no nf_tables.
[[nodiscard]] std::uint32_t GenerationOf(const NumberAnswer& answer);
// To IPCTNL_MSG_CT_GET_STATS. None where nothing is tracked; EOPNOTSUPP where something is, but not told.
[[nodiscard]] std::uint32_t ConnectionsOf(const NumberAnswer& answer);

}  // namespace vulcan::nft

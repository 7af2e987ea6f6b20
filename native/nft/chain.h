#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nft/batch.h"
#include "nft/socket.h"
#include "nft/table.h"

namespace vulcan::nft {

struct Hook {
  // "filter", "nat".
  std::string type;
  // NF_INET_FORWARD, ...
  std::uint32_t number;
  std::int32_t priority;
};

struct Chain {
  std::string name;
  // Absent: a chain that others jump to.
  std::optional<Hook> hook;
};

// Base chains get the policy accept.
void AddChain(Batch& batch, const Table& table, const Chain& chain);

// Removes all of the chain's rules.
void FlushChain(Batch& batch, const Table& table, const std::string& chain);

// A chain of any table, as it is in the kernel.
struct ChainInfo {
  Table table;
  std::string name;
  std::optional<Hook> hook;
  // Of a base chain: whether packets that no rule decides on are dropped.
  bool drops;
};
[[nodiscard]] std::vector<ChainInfo> ListChains(Socket& socket);

}  // namespace vulcan::nft

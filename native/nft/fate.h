#pragma once

#include <string>

#include "nft/socket.h"
#include "nft/table.h"

namespace vulcan::nft {

// What a chain does with a packet that meets none of its conditions.
enum class Fate { kUndecided, kAccepted, kDropped };

// Follows unconditional jumps. A base chain that leaves it undecided applies its policy.
[[nodiscard]] Fate ReadFate(Socket& socket, const Table& table, const std::string& chain);

}  // namespace vulcan::nft

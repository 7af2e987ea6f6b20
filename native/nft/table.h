#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nft/batch.h"
#include "nft/socket.h"

namespace vulcan::nft {

struct Table {
  // NFPROTO_INET, ...
  std::uint8_t family;
  std::string name;
};

// The comment of a table that exists already stays as it is. Kernels before 5.10 keep none.
void AddTable(Batch& batch, const Table& table, const std::string& comment);

// The comment of a table of ours: which layout of its rules it has. `prefix` tells whose it is.
[[nodiscard]] std::string LayoutComment(std::string_view prefix, int layout);
// 0: the comment says none.
[[nodiscard]] int ParseLayout(std::string_view prefix, const std::string& comment);

// With everything in it.
void DeleteTable(Batch& batch, const Table& table);

// One that is made again under its name has another handle.
struct PresentTable {
  std::uint64_t handle = 0;
  std::string comment;
};

// Nothing when there is no such table.
[[nodiscard]] std::optional<PresentTable> ReadTable(Socket& socket, const Table& table);

}  // namespace vulcan::nft

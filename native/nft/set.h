#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nft/batch.h"
#include "nft/range.h"
#include "nft/table.h"

namespace vulcan::nft {

// The data types of nft(8), by its numbers: nothing to the kernel, but nft prints elements by them.
enum class DataType : std::uint32_t {
  kIpv4 = 7,
  kIpv6 = 8,
  kMac = 9,
  kProtocol = 12,
  kPort = 13,
  kLinkGroup = 35,
  kLinkName = 41
};

struct Set {
  std::string name;
  // More than one: a concatenation.
  std::vector<DataType> key;
  // Elements are ranges.
  bool interval = false;
  std::string comment;
};

// Fails with EEXIST when there is another set of that name.
void AddSet(Batch& batch, const Table& table, const Set& set);

// Key of a key; each part of a concatenation takes a multiple of four.
[[nodiscard]] std::uint32_t KeySize(const Set& set) noexcept;

// Parts of keys. A link name fills 16 bytes, so that no name is another's prefix.
[[nodiscard]] Key LinkNameKey(std::string_view name);
[[nodiscard]] Key LinkGroupKey(std::uint32_t group);
// Padded, as a part of a concatenation is.
[[nodiscard]] Key MacKey(std::span<const std::byte, 6> mac);
[[nodiscard]] Key ServiceKey(std::uint8_t protocol, std::uint16_t port);
[[nodiscard]] Key Concatenate(Key left, const Key& right);

}  // namespace vulcan::nft

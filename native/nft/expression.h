#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nft/handle.h"

namespace vulcan::nft {

// Registers. A 16-byte register is four of the 4-byte ones, so that concatenated keys are loaded side by
// side.
inline constexpr std::uint32_t kVerdictRegister = 0;
inline constexpr std::uint32_t kFirstRegister = 1;
// The four bytes after a link name in the first register, and the four bytes after those.
inline constexpr std::uint32_t kAfterLink = 2;
inline constexpr std::uint32_t kAfterLinkAndWord = 13;
// The four bytes after a link group, and the four bytes after those.
inline constexpr std::uint32_t kAfterGroup = 9;
inline constexpr std::uint32_t kAfterGroupAndWord = 10;
// Behind a link name and a MAC, which fills eight bytes.
inline constexpr std::uint32_t kAfterLinkAndMac = 14;

// NFT_META_*: loads a property of the packet.
[[nodiscard]] ExpressionHandle LoadMeta(std::uint32_t key, std::uint32_t target = kFirstRegister);

// NFT_PAYLOAD_*: loads bytes of a header.
struct Field {
  std::uint32_t header;
  std::uint32_t offset;
  std::uint32_t bytes;
};
[[nodiscard]] ExpressionHandle LoadField(Field field, std::uint32_t target = kFirstRegister);

// Bytes of IPv6's fragment header; goes on with the rule only if there is one.
[[nodiscard]] ExpressionHandle LoadFragmentField(std::uint32_t offset, std::uint32_t bytes);
// Whether there is one, as a byte.
[[nodiscard]] ExpressionHandle LoadIsFragment();

// The packet's conntrack state, as a bit mask.
[[nodiscard]] ExpressionHandle LoadState();

// first register &= mask
[[nodiscard]] ExpressionHandle Mask(std::span<const std::byte> mask);

enum class Comparison : std::uint32_t { kEqual = 0, kNotEqual = 1, kAtMost = 3, kAtLeast = 5 };
// Goes on with the rule only if the first register compares so.
[[nodiscard]] ExpressionHandle Compare(Comparison comparison, std::span<const std::byte> value);

enum class Membership { kIn, kNotIn };
// Goes on with the rule only if the key that begins in the first register is, or is not, in the set.
[[nodiscard]] ExpressionHandle Lookup(const std::string& set, Membership membership);

// NF_ACCEPT, NF_DROP; or NFT_JUMP or NFT_GOTO with a chain.
[[nodiscard]] ExpressionHandle Verdict(std::uint32_t verdict, const std::string& chain = {});

[[nodiscard]] ExpressionHandle Masquerade();

// Counts packets and bytes.
[[nodiscard]] ExpressionHandle Counter();

}  // namespace vulcan::nft

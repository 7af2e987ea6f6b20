#include "nft/range.h"

namespace vulcan::nft {
namespace {

constexpr unsigned kBitsPerByte = 8;

std::string AddressText(const Key& key) {
  const auto address = IpAddress::FromBytes(key);
  return address ? address->ToString() : std::string();
}

}  // namespace

Key ToKey(const IpAddress& address) {
  const auto bytes = address.Bytes();
  return {bytes.begin(), bytes.end()};
}

Key ToMask(const IpPrefix& prefix) {
  Key mask(prefix.address.Bytes().size());
  for (unsigned bit = 0; bit < static_cast<unsigned>(prefix.length); ++bit) {
    mask[bit / kBitsPerByte] |= std::byte{0x80} >> (bit % kBitsPerByte);
  }
  return mask;
}

Range ToRange(const IpPrefix& prefix) {
  const Key mask = ToMask(prefix);
  Range range{ToKey(prefix.address), ToKey(prefix.address)};
  for (std::size_t i = 0; i < mask.size(); ++i) {
    range.first[i] &= mask[i];
    range.last[i] |= ~mask[i];
  }
  return range;
}

std::string ToString(const Range& range) {
  const auto address = IpAddress::FromBytes(range.first);
  for (int length = 0; address && length <= address->Bits(); ++length) {
    const IpPrefix prefix{*address, length};
    const auto [first, last] = ToRange(prefix);
    if (first == range.first && last == range.last) return prefix.ToString();
  }
  return AddressText(range.first) + "-" + AddressText(range.last);
}

}  // namespace vulcan::nft

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/ip_address.h"

namespace vulcan::nft {

// The bytes of a set's key, in network order; compared from left to right, as the kernel does.
using Key = std::vector<std::byte>;

// Addresses from `first` to `last`, both included.
struct Range {
  Key first;
  Key last;
};

[[nodiscard]] Key ToKey(const IpAddress& address);
[[nodiscard]] Key ToMask(const IpPrefix& prefix);
[[nodiscard]] Range ToRange(const IpPrefix& prefix);

[[nodiscard]] inline bool Overlap(const Range& left, const Range& right) {
  return left.first.size() == right.first.size() && left.first <= right.last && right.first <= left.last;
}

// "10.0.0.0/8" where the range is one prefix; else "first-last".
[[nodiscard]] std::string ToString(const Range& range);

}  // namespace vulcan::nft

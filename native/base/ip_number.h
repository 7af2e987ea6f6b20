#pragma once

#include "base/ip_address.h"

namespace vulcan {

// An address as a number, to count with. __extension__: ISO C++ has no integer of 128 bits.
__extension__ typedef unsigned __int128 IpNumber;

[[nodiscard]] IpNumber ToNumber(const IpAddress& address) noexcept;
// The lowest bits that an address of `family` has.
[[nodiscard]] IpAddress FromNumber(int family, IpNumber number);

}  // namespace vulcan

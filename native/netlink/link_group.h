#pragma once

#include <cstdint>

namespace vulcan {

// Of links that are ports for guests: without a bridge, what they bring is nobody's, and the firewall drops
// it. Next to those of networks (linkGroupOf of lib/backends/network/layout.ts).
inline constexpr std::uint32_t kGuestPortGroup = 0x7700'0000;

}  // namespace vulcan

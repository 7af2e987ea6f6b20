#pragma once

#include <cstdint>

namespace vulcan {

// IFF_*, IF_LINK_MODE_* and IF_OPER_* of <linux/if.h>, which can't be included beside <net/if.h>.
inline constexpr unsigned kLowerUp = 1U << 16;
inline constexpr unsigned kDormant = 1U << 17;
inline constexpr std::uint8_t kLinkModeDefault = 0;
inline constexpr std::uint8_t kLinkModeDormant = 1;
inline constexpr std::uint8_t kOperDormant = 5;
inline constexpr std::uint8_t kOperUp = 6;

}  // namespace vulcan

#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace vulcan {

// What `ethtool -k` shows of a link, as bits.
struct LinkFeatures {
  struct Word {
    std::uint32_t available = 0;
    std::uint32_t requested = 0;
    std::uint32_t active = 0;
  };
  std::array<Word, 4> words{};
};

// In the namespace that `socket`, of whatever kind, belongs to.
[[nodiscard]] LinkFeatures GetLinkFeatures(int socket, const std::string& link);
// What is requested; the driver decides what becomes active.
void RequestLinkFeatures(int socket, const std::string& link, const LinkFeatures& features);

}  // namespace vulcan

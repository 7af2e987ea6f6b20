#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vulcan {

using MacAddress = std::array<std::byte, 6>;

// "02:00:00:00:78:01"; nothing else.
[[nodiscard]] std::optional<MacAddress> ParseMac(std::string_view text);

// Lower-case with colons, whatever the length; empty for none.
[[nodiscard]] std::string FormatMac(std::span<const std::byte> bytes);

}  // namespace vulcan

#include "netlink/mac_address.h"

#include <charconv>

namespace vulcan {

std::optional<MacAddress> ParseMac(std::string_view text) {
  MacAddress mac{};
  if (text.size() != mac.size() * 3 - 1) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const auto octet = text.substr(i * 3, 2);
    if (i > 0 && text[i * 3 - 1] != ':') return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(octet.data(), octet.data() + octet.size(), value, 16);
    if (error != std::errc{} || end != octet.data() + octet.size()) return std::nullopt;
    mac[i] = static_cast<std::byte>(value);
  }
  return mac;
}

std::string FormatMac(std::span<const std::byte> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    if (!text.empty()) text += ':';
    text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{0x0f})];
  }
  return text;
}

}  // namespace vulcan

#include "base/ip_number.h"

namespace vulcan {
namespace {

constexpr unsigned kBitsPerByte = 8;

}  // namespace

IpNumber ToNumber(const IpAddress& address) noexcept {
  IpNumber number = 0;
  for (const std::byte byte : address.Bytes())
    number = (number << kBitsPerByte) | std::to_integer<unsigned>(byte);
  return number;
}

IpAddress FromNumber(int family, IpNumber number) {
  std::array<std::byte, 16> bytes{};
  const std::span<std::byte> used(bytes.data(), family == AF_INET ? 4 : 16);
  for (auto byte = used.rbegin(); byte != used.rend(); ++byte, number >>= kBitsPerByte) {
    *byte = static_cast<std::byte>(number & 0xff);
  }
  return IpAddress::FromBytes(used).value();
}

}  // namespace vulcan

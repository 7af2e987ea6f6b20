#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vulcan {

// One IPv4 or IPv6 address, in network byte order.
class IpAddress {
 public:
  // Empty when `text` is no address, or when `bytes` has not 4 or 16.
  [[nodiscard]] static std::optional<IpAddress> Parse(std::string_view text);
  [[nodiscard]] static std::optional<IpAddress> FromBytes(std::span<const std::byte> bytes);

  // AF_INET or AF_INET6.
  [[nodiscard]] int Family() const noexcept { return family_; }
  [[nodiscard]] std::span<const std::byte> Bytes() const noexcept { return {bytes_.data(), Size()}; }
  [[nodiscard]] int Bits() const noexcept { return static_cast<int>(Size()) * 8; }
  [[nodiscard]] bool IsLinkLocal() const noexcept;
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  [[nodiscard]] std::size_t Size() const noexcept { return family_ == AF_INET ? 4 : 16; }

  int family_ = AF_INET;
  std::array<std::byte, 16> bytes_{};
};

// An address with its prefix length. Host bits are kept: "10.168.0.1/24".
struct IpPrefix {
  [[nodiscard]] static std::optional<IpPrefix> Parse(std::string_view text);
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;

  IpAddress address;
  int length = 0;
};

}  // namespace vulcan

#include "base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace vulcan {

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  // A NUL inside would hide what follows it from inet_pton.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  address.family_ = text.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  if (::inet_pton(address.family_, terminated.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  return address;
}

std::optional<IpAddress> IpAddress::FromBytes(std::span<const std::byte> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.family_ = bytes.size() == 4 ? AF_INET : AF_INET6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

bool IpAddress::IsLinkLocal() const noexcept {
  if (family_ == AF_INET) return bytes_[0] == std::byte{169} && bytes_[1] == std::byte{254};
  return bytes_[0] == std::byte{0xfe} && (bytes_[1] & std::byte{0xc0}) == std::byte{0x80};
}

std::string IpAddress::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family_, bytes_.data(), text.data(), text.size());
}

std::optional<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::Parse(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  int length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!address || !whole || length < 0 || length > address->Bits()) return std::nullopt;
  return IpPrefix{*address, length};
}

std::string IpPrefix::ToString() const { return address.ToString() + "/" + std::to_string(length); }

}  // namespace vulcan

#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace vulcan {

// The attributes of a message (or of a nest) by type, up to Max. Unknown and malformed ones are as good as
// absent: the kernel grows new attributes, and a reader must not fail over them.
template <int Max>
class Attributes {
 public:
  Attributes() = default;
  Attributes(const nlmsghdr& message, std::size_t fixed) {
    Parse(nlmsg_attrdata(&message, static_cast<int>(fixed)),
          nlmsg_attrlen(&message, static_cast<int>(fixed)));
  }
  explicit Attributes(const nlattr* nest) {
    if (nest != nullptr) Parse(static_cast<const nlattr*>(nla_data(nest)), nla_len(nest));
  }

  [[nodiscard]] const nlattr* Get(int type) const noexcept { return table_[static_cast<std::size_t>(type)]; }
  [[nodiscard]] bool Has(int type) const noexcept { return Get(type) != nullptr; }

  [[nodiscard]] std::uint32_t U32(int type, std::uint32_t otherwise = 0) const noexcept {
    return Scalar(type, otherwise);
  }
  [[nodiscard]] std::uint16_t U16(int type, std::uint16_t otherwise = 0) const noexcept {
    return Scalar(type, otherwise);
  }
  [[nodiscard]] std::uint8_t U8(int type, std::uint8_t otherwise = 0) const noexcept {
    return Scalar(type, otherwise);
  }
  [[nodiscard]] std::string String(int type) const {
    const auto bytes = Bytes(type);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    return bytes.empty() ? std::string() : std::string(text, ::strnlen(text, bytes.size()));
  }
  [[nodiscard]] std::span<const std::byte> Bytes(int type) const noexcept {
    const nlattr* attribute = Get(type);
    if (attribute == nullptr) return {};
    return {static_cast<const std::byte*>(nla_data(attribute)), static_cast<std::size_t>(nla_len(attribute))};
  }
  // The fixed struct that an attribute holds; zeroes when it is absent or shorter.
  template <typename T>
  [[nodiscard]] T Struct(int type) const noexcept {
    return Scalar(type, T{});
  }

 private:
  void Parse(const nlattr* first, int length) noexcept {
    int rest = length;
    for (const nlattr* at = first; nla_ok(at, rest); at = nla_next(at, &rest)) {
      const int type = nla_type(at);
      if (type <= Max) table_[static_cast<std::size_t>(type)] = at;
    }
  }

  template <typename T>
  [[nodiscard]] T Scalar(int type, T otherwise) const noexcept {
    const auto bytes = Bytes(type);
    if (bytes.size() < sizeof(T)) return otherwise;
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  std::array<const nlattr*, static_cast<std::size_t>(Max) + 1> table_{};
};

// The fixed part of a message; zeroes when the message is too short for it.
template <typename Fixed>
[[nodiscard]] Fixed FixedPart(const nlmsghdr& message) noexcept {
  Fixed fixed{};
  if (nlmsg_datalen(&message) >= static_cast<int>(sizeof fixed)) {
    std::memcpy(&fixed, nlmsg_data(&message), sizeof fixed);
  }
  return fixed;
}

}  // namespace vulcan

#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace vulcan {

// What the kernel might send: messages one after another, by hand.
class Datagram {
 public:
  // Attributes follow the payload as they were added.
  struct Message {
    int type;
    int flags;
    std::uint32_t sequence;
    std::vector<std::byte> payload;
  };

  Datagram& Add(const Message& message) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + message.payload.size());
    header.nlmsg_type = static_cast<std::uint16_t>(message.type);
    header.nlmsg_flags = static_cast<std::uint16_t>(message.flags);
    header.nlmsg_seq = message.sequence;
    Append(bytes_, header);
    bytes_.insert(bytes_.end(), message.payload.begin(), message.payload.end());
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    return *this;
  }

  [[nodiscard]] std::span<const std::byte> Bytes() const { return bytes_; }
  [[nodiscard]] const nlmsghdr& First() const { return *reinterpret_cast<const nlmsghdr*>(bytes_.data()); }

  template <typename T>
  static void Append(std::vector<std::byte>& bytes, const T& value) {
    const auto at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }

  static void AppendAttribute(std::vector<std::byte>& bytes, int type, std::span<const std::byte> value) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()),
                        static_cast<std::uint16_t>(type)};
    Append(bytes, header);
    bytes.insert(bytes.end(), value.begin(), value.end());
    bytes.resize(NLA_ALIGN(bytes.size()));
  }

 private:
  std::vector<std::byte> bytes_;
};

// Of the request that is answered.
inline constexpr std::uint32_t kSequence = 7;

// NLMSG_ERROR about the request with this sequence number; `errnum` 0 is an acknowledgement.
[[nodiscard]] inline Datagram::Message ErrorMessage(std::uint32_t sequence, int errnum) {
  std::vector<std::byte> payload;
  Datagram::Append(payload, nlmsgerr{-errnum, {}});
  return {NLMSG_ERROR, NLM_F_CAPPED, sequence, std::move(payload)};
}

// The same with extended text.
[[nodiscard]] inline Datagram::Message ErrorMessage(std::uint32_t sequence, int errnum,
                                                    std::string_view text) {
  auto message = ErrorMessage(sequence, errnum);
  message.flags |= NLM_F_ACK_TLVS;
  std::vector<std::byte> terminated(text.size() + 1);
  std::memcpy(terminated.data(), text.data(), text.size());
  Datagram::AppendAttribute(message.payload, NLMSGERR_ATTR_MSG, terminated);
  return message;
}

}  // namespace vulcan

#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace vulcan::nft {

// One netlink message, header included.
using Message = std::vector<std::byte>;

// Appends the attributes to a message whose headers are there already.
using Payload = std::function<void(nlmsghdr*)>;

[[nodiscard]] inline const nlmsghdr* Header(const Message& message) noexcept {
  return reinterpret_cast<const nlmsghdr*>(message.data());
}

// Whether a whole message is in the `left` bytes at `header`. libmnl alone takes 2 GiB and more for a
// negative length.
[[nodiscard]] bool IsWhole(const nlmsghdr* header, int left) noexcept;

// The first attribute of that type behind `offset` bytes of the payload; nullptr when there is none.
[[nodiscard]] const nlattr* FindAttribute(const nlmsghdr* header, std::size_t offset, std::uint16_t type);

// What such an attribute behind the nfgenmsg holds, which is in network byte order there; empty where it is
// absent or malformed.
[[nodiscard]] std::optional<std::uint32_t> FindU32(const nlmsghdr* header, std::uint16_t type);

// Writes the headers of a request of nfnetlink, and returns it. `type` has its subsystem, `flags` are without
// NLM_F_REQUEST.
nlmsghdr* PutRequest(void* at, std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                     std::uint32_t sequence);

// Whether every attribute of these types, behind the nfgenmsg, ends with a NUL. libnftnl copies texts up to
// one without looking whether it is there.
[[nodiscard]] bool AreTexts(const nlmsghdr* header, std::initializer_list<std::uint16_t> types);

// "NFT_MSG_NEWRULE", for errors.
[[nodiscard]] std::string MessageName(std::uint16_t type);

// What an NLMSG_ERROR says: errno (positive, 0 for an acknowledgement) and the kernel's text, which may be
// empty.
struct Acknowledgement {
  std::uint32_t sequence;
  int error;
  std::string text;
};
[[nodiscard]] Acknowledgement ParseAcknowledgement(const nlmsghdr* header);

}  // namespace vulcan::nft

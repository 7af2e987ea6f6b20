#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

namespace vulcan::shim {

// A netlink socket's protocol.
[[nodiscard]] std::optional<int> NetlinkProtocolOf(int fd) noexcept;

using SendBytes = std::function<ssize_t(std::span<const std::byte>)>;

// Sends a request to the kernel, each message of it a point. One that is to fail is left out, and its refusal
// forged; a batch of nftables, which takes effect as a whole or not at all, is not sent then. Returns what a
// send would.
[[nodiscard]] ssize_t SendMessages(int fd, int protocol, std::span<const std::byte> request,
                                   const SendBytes& send);

}  // namespace vulcan::shim

#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <optional>
#include <vector>

struct nlmsghdr;

namespace vulcan::shim {

// What the kernel would have said about messages that it never got, one datagram for each socket.
struct ForgedAnswer {
  std::vector<std::byte> bytes;
  // Of the last message: the kernel answers those before it first.
  bool last = false;
};

void Forge(int fd, ForgedAnswer answer);
[[nodiscard]] bool HasForged(int fd);
// The answer, into the caller's buffers; nothing when it is not its turn.
[[nodiscard]] std::optional<ssize_t> TakeForged(int fd, bool waiting, void* buffer, std::size_t size,
                                                sockaddr* sender, socklen_t* sender_size);
void ForgetForged(int fd);

// An acknowledgement of the message: 0, or what is refused.
void AppendAcknowledgement(std::vector<std::byte>& bytes, const nlmsghdr& message, int error);

}  // namespace vulcan::shim

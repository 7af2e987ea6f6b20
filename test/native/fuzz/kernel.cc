#include "fuzz/kernel.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

// The linker (--wrap) puts these in the place of the system's.

namespace vulcan::fuzz {
namespace {

Input left;
std::uint32_t sequence = 0;

// Calls `use` with a copy of each header and its place; the last one may be cut off.
template <typename Use>
void ForEachHeader(const void* messages, std::size_t size, Use use) {
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
    nlmsghdr header{};
    std::memcpy(&header, static_cast<const std::byte*>(messages) + at, sizeof header);
    use(header, at);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > size - at) return;
    at += NLMSG_ALIGN(std::size_t{header.nlmsg_len});
  }
}

// The last of a batch.
void Remember(const void* request, std::size_t size) {
  ForEachHeader(request, size, [](const nlmsghdr& header, std::size_t) { sequence = header.nlmsg_seq; });
}

void Stamp(std::byte* datagram, std::size_t size) {
  ForEachHeader(datagram, size, [datagram](nlmsghdr& header, std::size_t at) {
    header.nlmsg_seq = sequence;
    std::memcpy(datagram + at, &header, sizeof header);
  });
}

std::size_t Success(void* buffer, std::size_t room) {
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } done{};
  done.header = {sizeof done, NLMSG_ERROR, NLM_F_CAPPED, sequence, 0};
  done.error.msg.nlmsg_seq = sequence;
  const std::size_t size = std::min(room, sizeof done);
  std::memcpy(buffer, &done, size);
  return size;
}

std::size_t Next(void* buffer, std::size_t room) {
  constexpr std::size_t kLengthBytes = 2;
  if (left.size() < kLengthBytes) return 0;
  std::size_t size = left[0] | static_cast<std::size_t>(left[1]) << 8;
  left = left.subspan(kLengthBytes);
  size = std::min({size, left.size(), room});
  std::memcpy(buffer, left.data(), size);
  left = left.subspan(size);
  Stamp(static_cast<std::byte*>(buffer), size);
  return size;
}

}  // namespace

void AnswerWith(Input input) { left = input; }

extern "C" {

ssize_t __wrap_sendto(int, const void* data, std::size_t size, int, const sockaddr*, socklen_t) {
  Remember(data, size);
  return static_cast<ssize_t>(size);
}

ssize_t __wrap_mnl_socket_sendto(const mnl_socket*, const void* data, std::size_t size) {
  Remember(data, size);
  return static_cast<ssize_t>(size);
}

ssize_t __wrap_sendmsg(int, const msghdr*, int) { return 0; }

ssize_t __wrap_recv(int, void* buffer, std::size_t room, int flags) {
  if (const std::size_t size = Next(buffer, room); size > 0) return static_cast<ssize_t>(size);
  if ((flags & MSG_DONTWAIT) == 0) return static_cast<ssize_t>(Success(buffer, room));
  errno = EAGAIN;
  return -1;
}

ssize_t __wrap_recvfrom(int, void* buffer, std::size_t room, int, sockaddr* sender, socklen_t* length) {
  std::memset(sender, 0, *length);
  const std::size_t size = Next(buffer, room);
  return static_cast<ssize_t>(size > 0 ? size : Success(buffer, room));
}

int __wrap_poll(pollfd*, nfds_t, int) { return 0; }

int __wrap_nanosleep(const timespec*, timespec*) { return 0; }

}  // extern "C"

}  // namespace vulcan::fuzz

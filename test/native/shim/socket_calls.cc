// What takes a socket; netlink's messages are points of their own.
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstring>
#include <vector>

#include "shim/forged.h"
#include "shim/messages.h"
#include "shim/next.h"
#include "shim/point.h"
#include "shim/stand_before.h"

namespace vulcan::shim {
namespace {

constexpr int kFailed = -1;

// Answers that the kernel gave come before one that is forged for the last message.
template <typename Call>
ssize_t Receive(const char* name, int fd, void* data, std::size_t size, int flags, sockaddr* sender,
                socklen_t* sender_size, const Call& call) {
  if (!IsWatched()) return call(flags);
  return BeforeAs<ssize_t>(ReceiveKey(), name, fd, kFailed, [&] {
    if (!HasForged(fd)) return call(flags);
    if (const auto forged = TakeForged(fd, false, data, size, sender, sender_size)) return *forged;
    const ssize_t received = call(flags | MSG_DONTWAIT);
    if (received >= 0 || errno != EAGAIN) return received;
    return TakeForged(fd, true, data, size, sender, sender_size).value_or(kFailed);
  });
}

}  // namespace

VULCAN_STAND_BEFORE(socket, int, Socket, int domain, int type, int protocol) {
  static auto* const next = Next(&Socket, "socket");
  return Before("socket", "", kFailed, [&] { return next(domain, type, protocol); });
}

VULCAN_STAND_BEFORE(bind, int, Bind, int fd, const sockaddr* address, socklen_t size) {
  static auto* const next = Next(&Bind, "bind");
  return Before("bind", fd, kFailed, [&] { return next(fd, address, size); });
}

VULCAN_STAND_BEFORE(getsockname, int, SocketName, int fd, sockaddr* address, socklen_t* size) {
  static auto* const next = Next(&SocketName, "getsockname");
  return Before("getsockname", fd, kFailed, [&] { return next(fd, address, size); });
}

VULCAN_STAND_BEFORE(getsockopt, int, GetOption, int fd, int level, int option, void* value, socklen_t* size) {
  static auto* const next = Next(&GetOption, "getsockopt");
  return Before("getsockopt", fd, kFailed, [&] { return next(fd, level, option, value, size); });
}

VULCAN_STAND_BEFORE(setsockopt, int, SetOption, int fd, int level, int option, const void* value,
                    socklen_t size) {
  static auto* const next = Next(&SetOption, "setsockopt");
  return Before("setsockopt", fd, kFailed, [&] { return next(fd, level, option, value, size); });
}

VULCAN_STAND_BEFORE(sendto, ssize_t, SendTo, int fd, const void* data, size_t size, int flags,
                    const sockaddr* address, socklen_t address_size) {
  static auto* const next = Next(&SendTo, "sendto");
  if (!IsWatched()) return next(fd, data, size, flags, address, address_size);
  return Before<ssize_t>("sendto", fd, kFailed, [&] {
    const auto send = [&](std::span<const std::byte> bytes) {
      return next(fd, bytes.data(), bytes.size(), flags, address, address_size);
    };
    const std::span bytes(static_cast<const std::byte*>(data), size);
    const auto protocol = NetlinkProtocolOf(fd);
    return protocol ? SendMessages(fd, *protocol, bytes, send) : send(bytes);
  });
}

VULCAN_STAND_BEFORE(sendmsg, ssize_t, SendMessage, int fd, const msghdr* message, int flags) {
  static auto* const next = Next(&SendMessage, "sendmsg");
  if (!IsWatched()) return next(fd, message, flags);
  return Before<ssize_t>("sendmsg", fd, kFailed, [&] {
    const auto protocol = NetlinkProtocolOf(fd);
    if (!protocol) return next(fd, message, flags);
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
      const auto* const part = static_cast<const std::byte*>(message->msg_iov[i].iov_base);
      bytes.insert(bytes.end(), part, part + message->msg_iov[i].iov_len);
    }
    return SendMessages(fd, *protocol, bytes, [&](std::span<const std::byte> kept) {
      iovec part{const_cast<std::byte*>(kept.data()), kept.size()};
      msghdr whole = *message;
      whole.msg_iov = &part;
      whole.msg_iovlen = 1;
      return next(fd, &whole, flags);
    });
  });
}

VULCAN_STAND_BEFORE(recv, ssize_t, ReceiveAny, int fd, void* data, size_t size, int flags) {
  static auto* const next = Next(&ReceiveAny, "recv");
  return Receive("recv", fd, data, size, flags, nullptr, nullptr,
                 [&](int all) { return next(fd, data, size, all); });
}

VULCAN_STAND_BEFORE(recvfrom, ssize_t, ReceiveFrom, int fd, void* data, size_t size, int flags,
                    sockaddr* sender, socklen_t* sender_size) {
  static auto* const next = Next(&ReceiveFrom, "recvfrom");
  return Receive("recvfrom", fd, data, size, flags, sender, sender_size,
                 [&](int all) { return next(fd, data, size, all, sender, sender_size); });
}

VULCAN_STAND_BEFORE(recvmsg, ssize_t, ReceiveMessage, int fd, msghdr* message, int flags) {
  static auto* const next = Next(&ReceiveMessage, "recvmsg");
  // What is forged is whole, and fits into the first part.
  const iovec& first = message->msg_iov[0];
  const auto call = [&](int all) { return next(fd, message, all); };
  message->msg_flags = 0;
  return Receive("recvmsg", fd, first.iov_base, first.iov_len, flags,
                 static_cast<sockaddr*>(message->msg_name), &message->msg_namelen, call);
}

}  // namespace vulcan::shim

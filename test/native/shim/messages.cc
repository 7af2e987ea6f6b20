#include "shim/messages.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <string>
#include <vector>

#include "shim/forged.h"
#include "shim/next.h"
#include "shim/point.h"

namespace vulcan::shim {
namespace {

[[nodiscard]] int SocketOption(int fd, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  Raw(SYS_getsockopt, fd, SOL_SOCKET, option, reinterpret_cast<long>(&value), reinterpret_cast<long>(&size));
  return value;
}

[[nodiscard]] std::vector<const nlmsghdr*> Split(std::span<const std::byte> request) {
  std::vector<const nlmsghdr*> messages;
  const auto* message = reinterpret_cast<const nlmsghdr*>(request.data());
  auto rest = static_cast<unsigned>(request.size());
  for (; NLMSG_OK(message, rest); message = NLMSG_NEXT(message, rest)) messages.push_back(message);
  return messages;
}

[[nodiscard]] std::string NameOf(int protocol, const nlmsghdr& message) {
  const char* const family = protocol == NETLINK_ROUTE ? "rtnetlink " : "nftables ";
  return family + std::to_string(message.nlmsg_type & 0xff);
}

[[nodiscard]] std::span<const std::byte> Bytes(const nlmsghdr& message) noexcept {
  return {reinterpret_cast<const std::byte*>(&message), NLMSG_ALIGN(message.nlmsg_len)};
}

void Append(std::vector<std::byte>& bytes, const nlmsghdr& message) {
  const auto more = Bytes(message);
  bytes.insert(bytes.end(), more.begin(), more.end());
}

// Each message by itself: the kernel goes on past one that it refuses.
ssize_t SendEach(int fd, int protocol, std::span<const std::byte> request, const SendBytes& send) {
  const auto messages = Split(request);
  std::vector<std::byte> kept;
  for (const nlmsghdr* const message : messages) {
    const std::string name = NameOf(protocol, *message);
    switch (Reach(OwnKey(), "message", name.c_str())) {
      case Fate::kGo:
        Append(kept, *message);
        break;
      case Fate::kFail: {
        ForgedAnswer answer;
        AppendAcknowledgement(answer.bytes, *message, errno);
        answer.last = message == messages.back();
        Forge(fd, std::move(answer));
        break;
      }
      case Fate::kDie:
        if (!kept.empty()) static_cast<void>(send(kept));
        Die();
    }
  }
  if (messages.empty()) return send(request);
  const ssize_t sent = kept.empty() ? 0 : send(kept);
  return sent < 0 ? sent : static_cast<ssize_t>(request.size());
}

ssize_t SendTransaction(int fd, std::span<const std::byte> request, const SendBytes& send) {
  const auto messages = Split(request);
  ForgedAnswer answers;
  bool refused = false;
  for (const nlmsghdr* const message : messages) {
    if (message->nlmsg_type < NLMSG_MIN_TYPE || (message->nlmsg_type >> 8) == 0) continue;
    const std::string name = NameOf(NETLINK_NETFILTER, *message);
    int error = 0;
    switch (Reach(OwnKey(), "message", name.c_str())) {
      case Fate::kGo:
        break;
      case Fate::kFail:
        error = errno;
        refused = true;
        break;
      case Fate::kDie:
        Die();
    }
    AppendAcknowledgement(answers.bytes, *message, error);
  }
  if (!refused) return send(request);
  Forge(fd, std::move(answers));
  return static_cast<ssize_t>(request.size());
}

}  // namespace

std::optional<int> NetlinkProtocolOf(int fd) noexcept {
  const int before = errno;
  const bool netlink = SocketOption(fd, SO_DOMAIN) == AF_NETLINK;
  const int protocol = SocketOption(fd, SO_PROTOCOL);
  errno = before;
  return netlink ? std::optional(protocol) : std::nullopt;
}

ssize_t SendMessages(int fd, int protocol, std::span<const std::byte> request, const SendBytes& send) {
  const auto* const first = reinterpret_cast<const nlmsghdr*>(request.data());
  const bool transaction = protocol == NETLINK_NETFILTER && request.size() >= sizeof(nlmsghdr) &&
                           first->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
  return transaction ? SendTransaction(fd, request, send) : SendEach(fd, protocol, request, send);
}

}  // namespace vulcan::shim

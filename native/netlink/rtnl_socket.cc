#include "netlink/rtnl_socket.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace vulcan {

namespace {

// The kernel fills a dump's datagrams up to 32 KiB when the reader's buffer allows it.
constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
constexpr int kReceiveBufferBytes = 1024 * 1024;

constexpr int kRequestAttempts = 6;
constexpr int kDumpAttempts = 32;
constexpr std::chrono::milliseconds kBackoff{5};

void Backoff(int attempt) { std::this_thread::sleep_for(kBackoff * attempt); }

bool IsTransient(const Error& error) noexcept { return error.Errnum() == EBUSY || error.Errnum() == ENOBUFS; }

std::span<const std::byte> BytesOf(const nlmsghdr& header) noexcept {
  return {reinterpret_cast<const std::byte*>(&header), header.nlmsg_len};
}

}  // namespace

RtnlSocket::RtnlSocket() : socket_(nl_socket_alloc()), buffer_(kBufferSize) {
  if (!socket_) throw Error(ENOMEM, "socket");
  if (nl_connect(socket_.get(), NETLINK_ROUTE) < 0) throw SystemError("socket");
  const int fd = nl_socket_get_fd(socket_.get());
  const int on = 1;
  // Each is an improvement that an older kernel may lack: extack texts (4.12), short errors (4.2), dumps that
  // honour their header (4.20).
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    ::setsockopt(fd, SOL_NETLINK, option, &on, sizeof on);
  }
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof kReceiveBufferBytes) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
  }
}

void RtnlSocket::Request(RtnlMessage message) {
  for (int attempt = 1;; ++attempt) {
    const RtnlReply reply = Ask(message, [](const nlmsghdr&) {});
    if (!reply.Failure()) return;
    Error failure = *reply.Failure();
    if (!IsTransient(failure)) throw failure;
    if (attempt == kRequestAttempts) throw failure.Why(Reason::kRetriesExhausted);
    Backoff(attempt);
  }
}

RtnlBatchResult RtnlSocket::Send(RtnlBatch batch) {
  std::vector<std::byte> bytes;
  std::vector<RtnlReply> replies;
  for (RtnlMessage& message : batch.Messages()) {
    // Failures are always reported, so what comes before the last acknowledgement needs none of its own.
    if (&message == &batch.Messages().back()) message.Header().nlmsg_flags |= NLM_F_ACK;
    Stamp(message);
    const auto one = BytesOf(message.Header());
    bytes.insert(bytes.end(), one.begin(), one.end());
    bytes.resize(NLMSG_ALIGN(bytes.size()));
    replies.emplace_back(message.Header());
  }
  RtnlBatchResult result;
  if (replies.empty()) return result;
  const int type = batch.Messages().front().Header().nlmsg_type;
  SendBytes(bytes, type);
  // The kernel works through a batch in order, so the last acknowledgement ends it.
  while (!replies.back().IsDone()) {
    const auto datagram = Receive(type);
    for (RtnlReply& reply : replies) reply.Read(datagram, [](const nlmsghdr&) {});
  }
  for (const RtnlReply& reply : replies) result.push_back(reply.Failure());
  return result;
}

std::optional<int> RtnlSocket::IndexOf(const std::string& link) const {
  ifreq request{};
  if (link.size() >= sizeof request.ifr_name) throw Error(EINVAL, "ioctl(SIOCGIFINDEX)").Path(link);
  link.copy(request.ifr_name, sizeof request.ifr_name - 1);
  if (::ioctl(nl_socket_get_fd(socket_.get()), SIOCGIFINDEX, &request) == 0) return request.ifr_ifindex;
  if (errno == ENODEV) return std::nullopt;
  throw SystemError("ioctl(SIOCGIFINDEX)", link);
}

RtnlReply RtnlSocket::Ask(RtnlMessage& request, const RtnlVisitor& visit) {
  const int type = request.Header().nlmsg_type;
  if ((request.Header().nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) request.Header().nlmsg_flags |= NLM_F_ACK;
  Stamp(request);
  RtnlReply reply(request.Header());
  SendBytes(BytesOf(request.Header()), type);
  while (!reply.IsDone()) reply.Read(Receive(type), visit);
  return reply;
}

void RtnlSocket::RetryDump(RtnlMessage& request, const std::function<void()>& restart,
                           const RtnlVisitor& visit) {
  request.Header().nlmsg_flags |= NLM_F_DUMP;
  for (int attempt = 1;; ++attempt) {
    restart();
    const RtnlReply reply = Ask(request, visit);
    const bool transient = reply.Failure() && IsTransient(*reply.Failure());
    if (!transient) reply.ThrowIfFailed();
    if (!transient && !reply.IsInterrupted()) return;
    if (attempt == kDumpAttempts) {
      throw Error(transient ? reply.Failure()->Errnum() : EINTR, RtnlTypeName(request.Header().nlmsg_type),
                  "the kernel's tables changed during every attempt to read them")
          .Why(Reason::kRetriesExhausted);
    }
    Backoff(attempt);
  }
}

void RtnlSocket::SendBytes(std::span<const std::byte> bytes, int type) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = ::sendto(nl_socket_get_fd(socket_.get()), bytes.data(), bytes.size(), 0,
                    reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw SystemError(RtnlTypeName(type));
}

std::span<const std::byte> RtnlSocket::Receive(int type) {
  for (;;) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t size = ::recvfrom(nl_socket_get_fd(socket_.get()), buffer_.data(), buffer_.size(),
                                    MSG_TRUNC, reinterpret_cast<sockaddr*>(&sender), &length);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw SystemError(RtnlTypeName(type));
    if (static_cast<std::size_t>(size) > buffer_.size()) throw Error(EMSGSIZE, RtnlTypeName(type));
    // Port 0 is the kernel; anyone with CAP_NET_ADMIN could send here, too.
    if (sender.nl_pid == 0) return {buffer_.data(), static_cast<std::size_t>(size)};
  }
}

}  // namespace vulcan

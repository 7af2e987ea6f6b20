#include "netlink/rtnl_socket.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>
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

[[nodiscard]] ifreq Named(const std::string& link, const char* call) {
  ifreq request{};
  if (link.size() >= sizeof request.ifr_name) throw Error(EINVAL, call).Path(link);
  link.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

[[nodiscard]] Error Exhausted(const Error& failure, int attempts) {
  Error error(failure.Errnum(), failure.Syscall(),
              "so it was at each of " + std::to_string(attempts) + " attempts");
  error.Path(failure.GetPath()).Kernel(failure.KernelMessage()).Why(Reason::kRetriesExhausted);
  return error;
}

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
    const Error& failure = *reply.Failure();
    if (!IsTransient(failure)) throw failure;
    if (attempt == kRequestAttempts) throw Exhausted(failure, attempt);
    Backoff(attempt);
  }
}

RtnlBatchResult RtnlSocket::Send(RtnlBatch batch, Retry retry) {
  std::vector<RtnlMessage*> messages;
  for (RtnlMessage& message : batch.Messages()) messages.push_back(&message);
  RtnlBatchResult result(messages.size());
  if (messages.empty()) return result;
  std::vector<std::size_t> left(messages.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  for (int attempt = 1;; ++attempt) {
    const RtnlBatchResult sent = SendOnce(messages);
    std::vector<std::size_t> failed;
    for (std::size_t i = 0; i < left.size(); ++i) {
      result[left[i]] = sent[i];
      if (sent[i]) failed.push_back(left[i]);
    }
    // What comes after one that failed may have failed for want of it.
    if (failed.empty() || !IsTransient(*result[failed.front()]) || retry == Retry::kNever) return result;
    if (attempt == kRequestAttempts) {
      auto& first = result[failed.front()];
      first = Exhausted(*first, attempt);
      return result;
    }
    Backoff(attempt);
    left = std::move(failed);
    messages.clear();
    for (const std::size_t i : left) messages.push_back(&batch.Messages()[i]);
  }
}

RtnlBatchResult RtnlSocket::SendOnce(std::span<RtnlMessage* const> messages) {
  std::vector<std::byte> bytes;
  std::vector<RtnlReply> replies;
  for (RtnlMessage* message : messages) {
    // Failures are always reported, so what comes before the last acknowledgement needs none of its own.
    if (message == messages.back()) message->Header().nlmsg_flags |= NLM_F_ACK;
    Stamp(*message);
    const auto one = BytesOf(message->Header());
    bytes.insert(bytes.end(), one.begin(), one.end());
    bytes.resize(NLMSG_ALIGN(bytes.size()));
    replies.emplace_back(message->Header());
  }
  const int type = messages.front()->Header().nlmsg_type;
  SendBytes(bytes, type);
  // The kernel works through a batch in order, so the last acknowledgement ends it.
  while (!replies.back().IsDone()) {
    const auto datagram = Receive(type);
    for (RtnlReply& reply : replies) reply.Read(datagram, [](const nlmsghdr&) {});
  }
  RtnlBatchResult result;
  for (const RtnlReply& reply : replies) result.push_back(reply.Failure());
  return result;
}

std::optional<int> RtnlSocket::IndexOf(const std::string& link) const {
  ifreq request = Named(link, "ioctl(SIOCGIFINDEX)");
  if (::ioctl(nl_socket_get_fd(socket_.get()), SIOCGIFINDEX, &request) == 0) return request.ifr_ifindex;
  if (errno == ENODEV) return std::nullopt;
  throw SystemError("ioctl(SIOCGIFINDEX)", link);
}

bool RtnlSocket::IsUp(const std::string& link) const {
  ifreq request = Named(link, "ioctl(SIOCGIFFLAGS)");
  if (::ioctl(nl_socket_get_fd(socket_.get()), SIOCGIFFLAGS, &request) == 0) {
    return (request.ifr_flags & IFF_UP) != 0;
  }
  if (errno == ENODEV) return false;
  throw SystemError("ioctl(SIOCGIFFLAGS)", link);
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

void RtnlSocket::VisitDump(RtnlMessage request, const std::function<void()>& restart,
                           const RtnlVisitor& visit) {
  request.Header().nlmsg_flags |= NLM_F_DUMP;
  for (int attempt = 1;; ++attempt) {
    restart();
    std::optional<Error> failure = TryDump(request, visit);
    if (!failure) return;
    if (attempt == kDumpAttempts) throw Exhausted(*failure, attempt);
    Backoff(attempt);
  }
}

std::optional<Error> RtnlSocket::TryDump(RtnlMessage& request, const RtnlVisitor& visit) {
  try {
    const RtnlReply reply = Ask(request, visit);
    reply.ThrowIfFailed();
    if (!reply.IsInterrupted()) return std::nullopt;
    return Error(EINTR, RtnlTypeName(request.Header().nlmsg_type));
  } catch (const Error& error) {
    // ENOBUFS may also be what recvfrom() says: a part of the answer was lost, and the rest is of an old
    // request.
    if (!IsTransient(error)) throw;
    return error;
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
    const ssize_t size = ::recvfrom(nl_socket_get_fd(socket_.get()), buffer_.Data(), buffer_.Size(),
                                    MSG_TRUNC, reinterpret_cast<sockaddr*>(&sender), &length);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw SystemError(RtnlTypeName(type));
    if (static_cast<std::size_t>(size) > buffer_.Size()) throw Error(EMSGSIZE, RtnlTypeName(type));
    // Port 0 is the kernel; anyone with CAP_NET_ADMIN could send here, too.
    if (sender.nl_pid == 0) return {buffer_.Data(), static_cast<std::size_t>(size)};
  }
}

}  // namespace vulcan

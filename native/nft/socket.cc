#include "nft/socket.h"

#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/errnum.h"
#include "base/error.h"
#include "nft/netfilter_state.h"

namespace vulcan::nft {
namespace {

constexpr std::size_t kReceiveBytes = 1 << 16;
// Room for a batch and for an acknowledgement of each of its messages. Not available without CAP_NET_ADMIN,
// but nothing else is either.
constexpr int kSocketBufferBytes = 8 << 20;
constexpr int kDumpAttempts = 32;

void Enable(const mnl_socket* socket, int level, int option, int value) {
  // Best effort: every one of these only improves on the default.
  [[maybe_unused]] const int result =
      ::setsockopt(mnl_socket_get_fd(socket), level, option, &value, sizeof value);
}

}  // namespace

Socket::Socket() : socket_(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC)), buffer_(kReceiveBytes) {
  if (!socket_) throw SystemError("socket(NETLINK_NETFILTER)");
  if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) throw SystemError("bind(NETLINK_NETFILTER)");
  Enable(socket_.get(), SOL_SOCKET, SO_SNDBUFFORCE, kSocketBufferBytes);
  Enable(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, kSocketBufferBytes);
  Enable(socket_.get(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  Enable(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
}

std::size_t Socket::Receive(int flags) {
  for (;;) {
    const ssize_t length =
        ::recv(mnl_socket_get_fd(socket_.get()), buffer_.Data(), buffer_.Size(), flags | MSG_TRUNC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return 0;
    if (length < 0) throw SystemError("recv(NETLINK_NETFILTER)");
    if (static_cast<std::size_t>(length) > buffer_.Size()) throw Error(EMSGSIZE, "recv(NETLINK_NETFILTER)");
    return static_cast<std::size_t>(length);
  }
}

bool Socket::Take(const nlmsghdr* header, bool dump, Answer& answer) {
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) answer.interrupted = true;
  if (header->nlmsg_type == NLMSG_ERROR) {
    Acknowledgement acknowledgement = ParseAcknowledgement(header);
    answer.error = acknowledgement.error;
    answer.text = std::move(acknowledgement.text);
    return false;
  }
  if (header->nlmsg_type == NLMSG_DONE) {
    if (mnl_nlmsg_get_payload_len(header) >= sizeof(int)) {
      answer.error = ErrnumOf(*static_cast<const int*>(mnl_nlmsg_get_payload(header)));
    }
    return false;
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(header);
  answer.messages.emplace_back(bytes, bytes + header->nlmsg_len);
  return dump;
}

Socket::Answer Socket::Request(std::uint16_t type, std::uint8_t family, std::uint16_t flags,
                               const Payload& payload) {
  const std::uint32_t sequence = ++sequence_;
  const bool dump = (flags & NLM_F_DUMP) != 0;
  nlmsghdr* request =
      nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(buffer_.Data()), type, family, flags, sequence);
  payload(request);
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) {
    throw SystemError("sendto(NETLINK_NETFILTER)");
  }
  Answer answer;
  for (bool more = true; more;) {
    auto left = static_cast<int>(Receive(0));
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.Data());
    for (; more && IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
      // Whatever an earlier, failed request left behind is skipped.
      if (header->nlmsg_seq == sequence) more = Take(header, dump, answer);
    }
  }
  return answer;
}

std::optional<Message> Socket::Get(std::uint16_t type, std::uint8_t family, const Payload& payload) {
  Answer answer = Request(type, family, 0, payload);
  if (answer.error == ENOENT) return std::nullopt;
  if (answer.error != 0) throw Error(answer.error, MessageName(type)).Kernel(answer.text);
  if (answer.messages.empty()) return std::nullopt;
  return std::move(answer.messages.front());
}

std::vector<Message> Socket::Dump(std::uint16_t type, std::uint8_t family, const Payload& payload) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    try {
      Answer answer = Request(type, family, NLM_F_DUMP, payload);
      if (answer.interrupted || answer.error == EINTR || answer.error == EBUSY) continue;
      if (answer.error == ENOENT) return {};
      if (answer.error != 0) throw Error(answer.error, MessageName(type)).Kernel(answer.text);
      return std::move(answer.messages);
    } catch (const Error& error) {
      // The kernel dropped part of the answer; what remains of it carries an old sequence number, and is
      // EBUSY for those that come before it is read.
      if (error.Errnum() != ENOBUFS) throw;
    }
  }
  throw Error(EINTR, MessageName(type), "the ruleset changed during each attempt to read it")
      .Why(Reason::kRetriesExhausted);
}

std::uint32_t Socket::Generation() {
  const Answer answer = Request(NFT_MSG_GETGEN, AF_UNSPEC, 0, [](nlmsghdr*) {});
  if (answer.messages.empty()) return GenerationOf({answer.error, {}, answer.text});
  return GenerationOf({answer.error, FindU32(Header(answer.messages.front()), NFTA_GEN_ID), answer.text});
}

std::vector<Acknowledgement> Socket::Exchange(std::span<iovec> parts) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  while (::sendmsg(mnl_socket_get_fd(socket_.get()), &message, 0) < 0) {
    if (errno != EINTR) throw SystemError("sendmsg(NETLINK_NETFILTER)");
  }
  std::vector<Acknowledgement> acknowledgements;
  std::optional<Error> loss;
  for (;;) {
    std::size_t length = 0;
    try {
      length = Receive(MSG_DONTWAIT);
    } catch (const Error& error) {
      // The rest is read all the same: nothing may be left that could be taken for the next one's.
      if (error.Errnum() != ENOBUFS) throw;
      loss = error;
      continue;
    }
    if (length == 0) break;
    auto left = static_cast<int>(length);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.Data());
    for (; IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
      if (header->nlmsg_type == NLMSG_ERROR) acknowledgements.push_back(ParseAcknowledgement(header));
    }
  }
  if (loss) throw *loss;
  return acknowledgements;
}

}  // namespace vulcan::nft

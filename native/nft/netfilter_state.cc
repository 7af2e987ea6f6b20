#include "nft/netfilter_state.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "nft/message.h"

namespace vulcan::nft {
namespace {

// For a request, and for any of their answers, each of which takes less than 100 bytes.
constexpr std::size_t kBufferBytes = 1024;

struct Question {
  std::uint16_t type;
  // Of the answer.
  std::uint16_t attribute;
};
constexpr std::array kQuestions = {
    Question{NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NFTA_GEN_ID},
    Question{NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, CTA_STATS_GLOBAL_ENTRIES},
};
using Answers = std::array<std::optional<NumberAnswer>, kQuestions.size()>;

struct MessageBuffer {
  alignas(nlmsghdr) std::array<std::byte, kBufferBytes> bytes;
};

// Each question's sequence number is its place. Each is a send of its own, as the kernel answers the first
// alone where it refuses the whole of one (nfnetlink_rcv of net/netfilter/nfnetlink.c: EPERM). A socket that
// is not bound is by its first send (netlink_sendmsg of net/netlink/af_netlink.c).
void Ask(int fd) {
  MessageBuffer buffer{};
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* const to = reinterpret_cast<const sockaddr*>(&kernel);
  for (std::uint32_t i = 0; i < kQuestions.size(); ++i) {
    const nlmsghdr* request = PutRequest(buffer.bytes.data(), kQuestions[i].type, 0, AF_UNSPEC, i);
    while (::sendto(fd, request, request->nlmsg_len, 0, to, sizeof kernel) < 0) {
      if (errno != EINTR) throw SystemError("sendto(NETLINK_NETFILTER)");
    }
  }
}

void Take(const nlmsghdr* header, Answers& answers) {
  if (header->nlmsg_seq >= answers.size()) return;
  if (header->nlmsg_type == NLMSG_ERROR) {
    Acknowledgement refusal = ParseAcknowledgement(header);
    answers[header->nlmsg_seq] = NumberAnswer{refusal.error, {}, std::move(refusal.text)};
  } else {
    answers[header->nlmsg_seq] =
        NumberAnswer{0, FindU32(header, kQuestions[header->nlmsg_seq].attribute), ""};
  }
}

void Receive(int fd, Answers& answers) {
  MessageBuffer buffer{};
  sockaddr_nl sender{};
  socklen_t length = sizeof sender;
  const ssize_t size = ::recvfrom(fd, buffer.bytes.data(), buffer.bytes.size(), MSG_TRUNC,
                                  reinterpret_cast<sockaddr*>(&sender), &length);
  if (size < 0 && errno == EINTR) return;
  if (size < 0) throw SystemError("recv(NETLINK_NETFILTER)");
  // Port 0 is the kernel.
  if (sender.nl_pid != 0) return;
  if (static_cast<std::size_t>(size) > buffer.bytes.size()) throw Error(EMSGSIZE, "recv(NETLINK_NETFILTER)");
  auto left = static_cast<int>(size);
  const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.bytes.data());
  for (; IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) Take(header, answers);
}

[[nodiscard]] bool IsTracking() { return ::access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK) == 0; }

}  // namespace

NetfilterState ReadNetfilterState() {
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket) throw SystemError("socket(NETLINK_NETFILTER)");
  Ask(socket.Get());
  Answers answers;
  while (!std::ranges::all_of(answers, [](const auto& each) { return each.has_value(); })) {
    Receive(socket.Get(), answers);
  }
  return {GenerationOf(*answers[0]), ConnectionsOf(*answers[1])};
}

// nfnetlink answers EINVAL for a subsystem that is neither built in nor loadable.

std::uint32_t GenerationOf(const NumberAnswer& answer) {
  if (answer.error == EINVAL) throw Error(EOPNOTSUPP, "NFT_MSG_GETGEN", "the kernel has no nf_tables");
  if (answer.error != 0) throw Error(answer.error, "NFT_MSG_GETGEN").Kernel(answer.text);
  if (!answer.number) throw Error(EBADMSG, "NFT_MSG_GETGEN");
  return *answer.number;
}

std::uint32_t ConnectionsOf(const NumberAnswer& answer) {
  if (answer.error == 0 && answer.number) return *answer.number;
  if (answer.error == EINVAL && !IsTracking()) return 0;
  const bool is_untold = answer.error == EINVAL || answer.error == 0;
  throw Error(is_untold ? EOPNOTSUPP : answer.error, "IPCTNL_MSG_CT");
}

}  // namespace vulcan::nft

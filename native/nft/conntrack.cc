#include "nft/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/errnum.h"
#include "base/error.h"
#include "nft/conntrack_tuple.h"
#include "nft/message.h"
#include "nft/netfilter_state.h"

namespace vulcan {
namespace {

constexpr const char* kName = "IPCTNL_MSG_CT";
constexpr std::size_t kBufferBytes = 1 << 16;
constexpr int kReceiveBytes = 4 << 20;
constexpr int kAttempts = 8;

}  // namespace

Conntrack::Conntrack() : socket_(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC)), buffer_(kBufferBytes) {
  if (!socket_) throw SystemError("socket(NETLINK_NETFILTER)");
  if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) throw SystemError("bind(NETLINK_NETFILTER)");
  // Best effort: a dump that does not fit is done again.
  ::setsockopt(mnl_socket_get_fd(socket_.get()), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
               sizeof kReceiveBytes);
}

int Conntrack::Ask(std::uint16_t type, std::uint8_t family, std::uint16_t flags,
                   const std::function<void(nlmsghdr*)>& fill, const Visitor& visit) {
  nlmsghdr* const request =
      nft::PutRequest(buffer_.Data(), static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type),
                      static_cast<std::uint16_t>(NLM_F_ACK | flags), family, ++sequence_);
  fill(request);
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) throw SystemError(kName);
  for (;;) {
    const ssize_t got = mnl_socket_recvfrom(socket_.get(), buffer_.Data(), buffer_.Size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(kName);
    auto left = static_cast<int>(got);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.Data());
    for (; nft::IsWhole(header, left); header = mnl_nlmsg_next(header, &left)) {
      // Of an earlier request, whose answer was lost in part.
      if (header->nlmsg_seq != sequence_) continue;
      if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) return EINTR;
      if (header->nlmsg_type == NLMSG_DONE) return 0;
      if (header->nlmsg_type == NLMSG_ERROR) return nft::ParseAcknowledgement(header).error;
      visit(*header);
    }
  }
}

std::uint32_t Conntrack::Count() {
  nft::NumberAnswer answer;
  answer.error = Ask(
      IPCTNL_MSG_CT_GET_STATS, AF_UNSPEC, 0, [](nlmsghdr*) {},
      [&answer](const nlmsghdr& message) {
        answer.number = nft::FindU32(&message, CTA_STATS_GLOBAL_ENTRIES);
      });
  return nft::ConnectionsOf(answer);
}

// Measured on Linux 6.18 with 262,144 buckets: a reading locks each of them, a search passes over the empty
// ones, and each address takes two searches. Twice a reading's time is not too much: a reading goes without
// a pause, and keeps softirqs and expedited RCU grace periods waiting for all of it (ctnetlink_dump_table of
// net/netfilter/nf_conntrack_netlink.c), so that whoever unmounts something waits as well.
bool Conntrack::AreFew(std::size_t addresses, std::uint32_t connections) {
  constexpr double kReadingMs = 19;
  constexpr double kReadingMsEach = 2.3e-3;
  constexpr double kSearchMs = 0.2;
  constexpr double kSearchMsEach = 0.35e-3;
  const double reading_ms = kReadingMs + kReadingMsEach * connections;
  const double searches_ms = 2 * (kSearchMs + kSearchMsEach * connections) * static_cast<double>(addresses);
  return searches_ms <= 2 * reading_ms;
}

std::vector<std::vector<std::byte>> Conntrack::Find(const std::vector<IpAddress>& addresses) {
  std::vector<std::vector<std::byte>> found;
  const int failed = Ask(
      IPCTNL_MSG_CT_GET, AF_UNSPEC, NLM_F_DUMP, [](nlmsghdr*) {},
      [&](const nlmsghdr& message) {
        const auto has_part = [&message](const IpAddress& each) { return nft::HasPart(message, each); };
        if (!std::ranges::any_of(addresses, has_part)) return;
        const auto* bytes = reinterpret_cast<const std::byte*>(&message);
        found.emplace_back(bytes, bytes + message.nlmsg_len);
      });
  if (failed != 0) throw Error(failed, kName);
  return found;
}

void Conntrack::Delete(const std::vector<std::byte>& entry) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(entry.data());
  const auto* fixed = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(header));
  const int failed = Ask(
      IPCTNL_MSG_CT_DELETE, fixed->nfgen_family, 0,
      [header](nlmsghdr* request) {
        // With the id, it is this very connection and none that took its place.
        for (const std::uint16_t type : {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID}) {
          const nlattr* attribute = nft::FindAttribute(header, sizeof(nfgenmsg), type);
          if (attribute == nullptr) continue;
          mnl_attr_put(request, attribute->nla_type, mnl_attr_get_payload_len(attribute),
                       mnl_attr_get_payload(attribute));
        }
      },
      [](const nlmsghdr&) {});
  if (failed != 0 && failed != ENOENT) throw Error(failed, kName);
}

bool Conntrack::TryRemove(const IpAddress& address) {
  if (!IsSearchable(address)) return false;
  // Whoever begins a connection is the source of its packets there, whoever answers of those back, whatever
  // NAT does.
  for (const std::uint16_t direction : {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
    const int failed = Ask(
        IPCTNL_MSG_CT_DELETE, static_cast<std::uint8_t>(address.Family()), 0,
        [&](nlmsghdr* request) { nft::PutSourceFilter(request, direction, address); },
        [](const nlmsghdr&) {});
    // Linux before 6.12 wants the tuple of one connection.
    if (failed == EINVAL || failed == EOPNOTSUPP) return false;
    if (failed != 0) throw Error(failed, kName);
  }
  return true;
}

// ctnetlink_filter_match_tuple of net/netfilter/nf_conntrack_netlink.c passes over those IPv6 tuples that
// hold the address, where it is to pass over those that do not: from Linux 5.8, which brought it, to 6.18 at
// least. A deletion would take every IPv6 connection of the host but those that it was asked for.
bool Conntrack::IsSearchable(const IpAddress& address) noexcept { return address.Family() == AF_INET; }

std::vector<IpAddress> Conntrack::Remove(std::vector<IpAddress> addresses) {
  for (int attempt = 0; attempt < kAttempts && !addresses.empty(); ++attempt) {
    try {
      const auto entries = Find(addresses);
      std::erase_if(addresses, [&entries](const IpAddress& address) {
        return std::ranges::none_of(entries, [&address](const std::vector<std::byte>& entry) {
          return nft::HasPart(*reinterpret_cast<const nlmsghdr*>(entry.data()), address);
        });
      });
      for (const auto& entry : entries) Delete(entry);
    } catch (const Error& error) {
      // EBUSY: the rest of a dump that was lost in part is yet to be read.
      if (error.Errnum() != EINTR && error.Errnum() != ENOBUFS && error.Errnum() != EBUSY) throw;
    }
  }
  return addresses;
}

}  // namespace vulcan

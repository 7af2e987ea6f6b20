#include "netlink/fingerprint.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "netlink/attributes.h"
#include "netlink/link_state.h"
#include "netlink/qdisc.h"
#include "sys/link_features.h"

namespace vulcan {
namespace {

constexpr unsigned kByCarrier = IFF_RUNNING | kLowerUp | kDormant;

struct Nest;

// What to leave out of a level of attributes, and which of them have a level of their own.
struct Level {
  std::span<const int> without;
  std::span<const Nest> nests;
};

// Any type.
constexpr int kEach = -1;

struct Nest {
  int type;
  const Level* level;
};

constexpr int kIpv6Without[] = {IFLA_INET6_FLAGS, IFLA_INET6_STATS, IFLA_INET6_ICMP6STATS,
                                IFLA_INET6_CACHEINFO};
constexpr Level kIpv6{kIpv6Without, {}};
constexpr Nest kFamilyNests[] = {{AF_INET6, &kIpv6}};
constexpr Level kFamilies{{}, kFamilyNests};

constexpr int kPortWithout[] = {
    IFLA_BRPORT_STATE,
    IFLA_BRPORT_ROOT_ID,
    IFLA_BRPORT_BRIDGE_ID,
    IFLA_BRPORT_DESIGNATED_PORT,
    IFLA_BRPORT_ID,
    IFLA_BRPORT_NO,
    IFLA_BRPORT_DESIGNATED_COST,
    IFLA_BRPORT_CONFIG_PENDING,
    IFLA_BRPORT_TOPOLOGY_CHANGE_ACK,
    IFLA_BRPORT_HOLD_TIMER,
    IFLA_BRPORT_MESSAGE_AGE_TIMER,
    IFLA_BRPORT_FORWARD_DELAY_TIMER,
};
constexpr Level kPort{kPortWithout, {}};
constexpr int kInfoWithout[] = {IFLA_INFO_XSTATS};
constexpr Nest kInfoNests[] = {{IFLA_INFO_SLAVE_DATA, &kPort}};
constexpr Level kInfo{kInfoWithout, kInfoNests};

constexpr int kSomeLinkWithout[] = {
    IFLA_IFALIAS,         IFLA_LINKMODE,         IFLA_STATS,
    IFLA_STATS64,         IFLA_OPERSTATE,        IFLA_CARRIER,
    IFLA_CARRIER_CHANGES, IFLA_CARRIER_UP_COUNT, IFLA_CARRIER_DOWN_COUNT,
    IFLA_QDISC,
};
// Whose a link says that it is, and the mode by which its port is cut, are the first two: they are no
// business of who is on the host's end alone.
constexpr auto kLinkWithout = std::span(kSomeLinkWithout).subspan<2>();
// The kind of its root qdisc is the last: the kernel chooses none for a veth's first carrier.
constexpr auto kNamedLinkWithout = std::span(kSomeLinkWithout).first<std::size(kSomeLinkWithout) - 1>();
constexpr Nest kLinkNests[] = {{IFLA_AF_SPEC, &kFamilies}, {IFLA_LINKINFO, &kInfo}};
constexpr Level kLink{kLinkWithout, kLinkNests};
constexpr Level kNamedLink{kNamedLinkWithout, kLinkNests};

constexpr int kAddressWithout[] = {IFA_CACHEINFO};
constexpr Level kAddress{kAddressWithout, {}};
constexpr int kRouteWithout[] = {RTA_CACHEINFO};
constexpr Level kRoute{kRouteWithout, {}};
constexpr Level kWhole{};

constexpr int kActionOptionsWithout[] = {TCA_MIRRED_TM};
constexpr Level kActionOptions{kActionOptionsWithout, {}};
constexpr int kActionWithout[] = {TCA_ACT_STATS};
constexpr Nest kActionNests[] = {{TCA_ACT_OPTIONS, &kActionOptions}};
constexpr Level kAction{kActionWithout, kActionNests};
constexpr Nest kActionListNests[] = {{kEach, &kAction}};
constexpr Level kActionList{{}, kActionListNests};
constexpr int kFilterOptionsWithout[] = {TCA_U32_PCNT};
constexpr Nest kFilterOptionsNests[] = {{TCA_U32_ACT, &kActionList}};
constexpr Level kFilterOptions{kFilterOptionsWithout, kFilterOptionsNests};
constexpr int kTrafficWithout[] = {TCA_STATS, TCA_STATS2, TCA_XSTATS};
constexpr Nest kFilterNests[] = {{TCA_OPTIONS, &kFilterOptions}};
constexpr Level kQdisc{kTrafficWithout, {}};
constexpr Level kFilter{kTrafficWithout, kFilterNests};

void AppendBytes(std::string& out, const void* data, std::size_t size) {
  out.append(static_cast<const char*>(data), size);
}

void Append(std::string& out, const Level& level, const nlattr* first, int length) {
  int rest = length;
  for (const nlattr* at = first; nla_ok(at, rest); at = nla_next(at, &rest)) {
    const int type = nla_type(at);
    if (std::ranges::find(level.without, type) != level.without.end()) continue;
    const auto nest = std::ranges::find_if(
        level.nests, [type](const Nest& each) { return each.type == type || each.type == kEach; });
    AppendBytes(out, &type, sizeof type);
    const std::size_t size_at = out.size();
    out.append(sizeof(std::size_t), '\0');
    if (nest != level.nests.end()) {
      Append(out, *nest->level, static_cast<const nlattr*>(nla_data(at)), nla_len(at));
    } else {
      AppendBytes(out, nla_data(at), static_cast<std::size_t>(nla_len(at)));
    }
    const std::size_t size = out.size() - size_at - sizeof size;
    std::memcpy(&out[size_at], &size, sizeof size);
  }
}

template <typename Fixed>
void AppendObject(std::string& out, const nlmsghdr& message, const Fixed& fixed, const Level& level) {
  AppendBytes(out, &fixed, sizeof fixed);
  Append(out, level, nlmsg_attrdata(&message, static_cast<int>(sizeof fixed)),
         nlmsg_attrlen(&message, static_cast<int>(sizeof fixed)));
}

void AppendLinkAs(std::string& out, const nlmsghdr& message, const Level& level) {
  auto fixed = FixedPart<ifinfomsg>(message);
  fixed.ifi_flags &= ~kByCarrier;
  AppendObject(out, message, fixed, level);
}

void AppendLink(std::string& out, const nlmsghdr& message) { AppendLinkAs(out, message, kLink); }

struct NamedLink {
  std::string bytes;
  std::string name;
  bool has_alias = false;
};

[[nodiscard]] std::optional<NamedLink> ReadNamedLink(const nlmsghdr& message) {
  NamedLink link;
  const Attributes<IFLA_IFALIAS> attributes(message, sizeof(ifinfomsg));
  link.name = attributes.String(IFLA_IFNAME);
  link.has_alias = attributes.Has(IFLA_IFALIAS);
  AppendLinkAs(link.bytes, message, kNamedLink);
  return link;
}

void AppendAddress(std::string& out, const nlmsghdr& message) {
  AppendObject(out, message, FixedPart<ifaddrmsg>(message), kAddress);
}

void AppendRoute(std::string& out, const nlmsghdr& message) {
  auto fixed = FixedPart<rtmsg>(message);
  // One of each link that had a carrier.
  if (fixed.rtm_family == AF_INET6 && fixed.rtm_type == RTN_MULTICAST) return;
  fixed.rtm_flags &= ~static_cast<unsigned>(RTNH_F_DEAD | RTNH_F_LINKDOWN);
  AppendObject(out, message, fixed, kRoute);
}

void AppendRule(std::string& out, const nlmsghdr& message) {
  AppendObject(out, message, FixedPart<fib_rule_hdr>(message), kWhole);
}

void AppendNeighbour(std::string& out, const nlmsghdr& message) {
  const auto fixed = FixedPart<ndmsg>(message);
  // Multicast groups need nobody's answer.
  if ((fixed.ndm_state & ~NUD_NOARP) == 0) return;
  AppendObject(out, message, fixed, kWhole);
}

void AppendQdisc(std::string& out, const nlmsghdr& message) {
  auto fixed = FixedPart<tcmsg>(message);
  // The kernel's own choice, made at the first carrier.
  if (fixed.tcm_handle == 0) return;
  fixed.tcm_info = 0;
  AppendObject(out, message, fixed, kQdisc);
}

void AppendFilter(std::string& out, const nlmsghdr& message) {
  AppendObject(out, message, FixedPart<tcmsg>(message), kFilter);
}

// Adds to what is there what a message tells.
using Appender = void (*)(std::string&, const nlmsghdr&);

[[nodiscard]] std::string DumpAll(RtnlSocket& socket, RtnlMessage request, Appender append) {
  std::string all;
  socket.VisitDump(
      std::move(request), [&all] { all.clear(); },
      [&all, append](const nlmsghdr& message) { append(all, message); });
  return all;
}

template <typename Fixed>
[[nodiscard]] std::string DumpAll(RtnlSocket& socket, int type, const Fixed& fixed, Appender append) {
  return DumpAll(socket, RtnlMessage(type, 0, fixed), append);
}

[[nodiscard]] std::string DumpLinks(RtnlSocket& socket) {
  RtnlMessage request(RTM_GETLINK, 0, ifinfomsg{});
  request.PutU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return DumpAll(socket, std::move(request), AppendLink);
}

[[nodiscard]] std::string DumpFilters(RtnlSocket& socket, int link) {
  tcmsg fixed{};
  fixed.tcm_ifindex = link;
  fixed.tcm_parent = kIngressHandle;
  return DumpAll(socket, RTM_GETTFILTER, fixed, AppendFilter);
}

[[nodiscard]] std::string DumpAddresses(RtnlSocket& socket, int link) {
  ifaddrmsg fixed{};
  fixed.ifa_index = static_cast<unsigned>(link);
  return DumpAll(socket, RTM_GETADDR, fixed, AppendAddress);
}

[[nodiscard]] std::string FeaturesOf(RtnlSocket& socket, const std::string& link) {
  const LinkFeatures features = GetLinkFeatures(socket.Fd(), link);
  return std::string(reinterpret_cast<const char*>(&features), sizeof features);
}

// Empty where there is none, which is ENOENT for some kernels.
[[nodiscard]] std::string IngressQdisc(RtnlSocket& socket, int link) {
  tcmsg fixed{};
  fixed.tcm_ifindex = link;
  fixed.tcm_parent = TC_H_INGRESS;
  const auto read = [](const nlmsghdr& message) {
    std::optional<std::string> qdisc("");
    AppendQdisc(*qdisc, message);
    return qdisc;
  };
  try {
    return socket.Get(RtnlMessage(RTM_GETQDISC, 0, fixed), read).value_or("");
  } catch (const Error& error) {
    if (error.Errnum() != ENOENT) throw;
    return "";
  }
}

}  // namespace

std::optional<std::string> Fingerprint::DifferenceTo(const Fingerprint& other) const {
  const auto [mine, theirs] = std::ranges::mismatch(parts_, other.parts_, {}, &Part::bytes, &Part::bytes);
  if (mine != parts_.end()) return mine->name;
  if (theirs != other.parts_.end()) return theirs->name;
  return std::nullopt;
}

Fingerprint FingerprintNamespace(RtnlSocket& socket, const std::vector<std::string>& filtered) {
  std::vector<Fingerprint::Part> parts{
      {"addresses", DumpAll(socket, RTM_GETADDR, ifaddrmsg{}, AppendAddress)},
      {"routes", DumpAll(socket, RTM_GETROUTE, rtmsg{}, AppendRoute)},
      {"rules", DumpAll(socket, RTM_GETRULE, fib_rule_hdr{}, AppendRule)},
      {"neighbours", DumpAll(socket, RTM_GETNEIGH, ndmsg{}, AppendNeighbour)},
      {"qdiscs", DumpAll(socket, RTM_GETQDISC, tcmsg{}, AppendQdisc)},
  };
  for (const std::string& name : filtered) {
    const auto link = socket.IndexOf(name);
    if (!link) throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(name);
    parts.push_back({"filters", DumpFilters(socket, *link)});
  }
  return Fingerprint(std::move(parts));
}

Fingerprint FingerprintLinks(RtnlSocket& socket, const std::vector<std::string>& featured) {
  std::vector<Fingerprint::Part> parts{{"links", DumpLinks(socket)}};
  for (const std::string& name : featured) {
    parts.push_back({"features", FeaturesOf(socket, name)});
  }
  return Fingerprint(std::move(parts));
}

LinkPrint FingerprintLink(RtnlSocket& socket, int link) {
  ifinfomsg fixed{};
  fixed.ifi_index = link;
  RtnlMessage request(RTM_GETLINK, 0, fixed);
  request.PutU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  auto named = socket.Get(std::move(request), ReadNamedLink);
  if (!named) throw Error(ENODEV, RtnlTypeName(RTM_GETLINK));
  Fingerprint fingerprint({
      {"host's link", std::move(named->bytes)},
      {"host's link's filters", IngressQdisc(socket, link)},
      {"host's link's addresses", DumpAddresses(socket, link)},
      {"host's link's features", FeaturesOf(socket, named->name)},
  });
  return {std::move(fingerprint), named->has_alias};
}

}  // namespace vulcan

#include "engine/attachment_links.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <optional>
#include <variant>

#include "engine/host_routes.h"
#include "netlink/address.h"
#include "netlink/filter.h"
#include "netlink/host_route.h"
#include "netlink/link_change.h"
#include "netlink/link_group.h"
#include "netlink/neighbour.h"
#include "netlink/qdisc.h"
#include "netlink/route.h"
#include "netlink/veth.h"
#include "sys/link_presence.h"

namespace vulcan {
namespace {

// What a TAP is born with.
constexpr std::uint32_t kDefaultMtu = 1500;

// `subject` goes with whatever the kernel refuses, but for `accepted`: whether it did refuse by that.
bool SendAll(RtnlSocket& socket, RtnlBatch batch, const std::string& subject, int accepted = 0) {
  bool refused = false;
  for (const auto& failure : socket.Send(std::move(batch))) {
    if (!failure) continue;
    Error error(*failure);
    if (error.Errnum() == EXFULL) error.Why(Reason::kBridgeFull);
    if (error.Errnum() != accepted) throw error.Path(subject);
    refused = true;
  }
  return refused;
}

[[nodiscard]] int NeedIndex(const RtnlSocket& socket, const std::string& link) {
  const auto index = socket.IndexOf(link);
  if (!index) throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(link);
  return *index;
}

// Links of less have no IPv6 (IPV6_MIN_MTU of linux/ipv6.h), and the kernel refuses its attributes.
constexpr std::uint32_t kLeastIpv6Mtu = 1280;

[[nodiscard]] LinkChange Up() {
  LinkChange change;
  change.up = true;
  return change;
}

[[nodiscard]] std::optional<IpAddress> GatewayFor(const RoutePlan& route,
                                                  const std::vector<ReservedAddress>& addresses) {
  if (const auto* address = std::get_if<IpAddress>(&route.gateway)) return *address;
  const auto* of = std::get_if<GatewayOf>(&route.gateway);
  return of == nullptr ? std::nullopt : addresses.at(of->request).gateway;
}

}  // namespace

void AddHostLink(RtnlSocket& host, const InterfacePlan& plan, int bridge, int netns_fd) {
  // The kernel goes on after a message that fails: the rest of the batch would change somebody else's link.
  if (IsLinkPresent(plan.host_link)) {
    throw Error(EEXIST, RtnlTypeName(RTM_NEWLINK)).Path(plan.host_link);
  }
  const auto* port = std::get_if<BridgePort>(&plan.port);
  const std::uint32_t group = port == nullptr ? std::get<RoutedPort>(plan.port).group : kGuestPortGroup;
  const int master = port == nullptr ? 0 : bridge;
  RtnlBatch batch;
  batch.Add(NewVeth({plan.host_link, plan.host_mac, master, plan.name, plan.mac, netns_fd, plan.mtu, group}));
  // The kernel ignores the alias, and what is for a port, of a link that is being made.
  if (port != nullptr) {
    const auto alias = plan.alias.empty() ? std::nullopt : std::optional<std::string_view>(plan.alias);
    batch.Add(SetBridgePort(plan.host_link, port->options, alias));
  } else if (!plan.alias.empty()) {
    LinkChange alias;
    alias.alias = plan.alias;
    batch.Add(SetLink(plan.host_link, alias));
  }
  SendAll(host, std::move(batch), plan.host_link);
}

void ConfigureInside(RtnlSocket& inside, const InterfacePlan& plan,
                     const std::vector<ReservedAddress>& addresses) {
  const int tap = NeedIndex(inside, plan.tap);
  const int link = NeedIndex(inside, plan.name);
  LinkChange quiet;
  if ((plan.mtu == 0 || plan.mtu >= kLeastIpv6Mtu) && HasIpv6()) quiet.ipv6 = AddressGeneration::kNone;
  LinkChange tap_change = quiet;
  if (plan.mtu != kDefaultMtu) tap_change.mtu = plan.mtu;
  RtnlBatch batch;
  if (!tap_change.IsEmpty()) batch.Add(SetLink(tap, tap_change));
  if (!quiet.IsEmpty()) batch.Add(SetLink(link, quiet));
  batch.Add(NewIngressQdisc(tap))
      .Add(NewIngressQdisc(link))
      .Add(NewRedirectFilter(tap, link))
      .Add(NewRedirectFilter(link, tap));
  for (const ReservedAddress& each : addresses) {
    // Nobody can hear whether the address is somebody else's: what arrives goes to the TAP.
    const std::uint8_t flags = each.address.Family() == AF_INET6 ? IFA_F_NODAD : 0;
    batch.Add(NewAddress(link, {each.address, each.prefix_length}, flags));
  }
  batch.Add(SetLink(tap, Up())).Add(SetLink(link, Up()));
  for (const RoutePlan& route : plan.routes)
    batch.Add(NewRoute(link, route.destination, GatewayFor(route, addresses)));
  SendAll(inside, std::move(batch), plan.name);
}

void SetHostLinkUp(RtnlSocket& host, const InterfacePlan& plan,
                   const std::vector<ReservedAddress>& addresses) {
  RtnlBatch batch;
  int index = 0;
  const auto add_routes = [&](const std::string& link) {
    index = NeedIndex(host, link);
    for (const ReservedAddress& each : addresses) {
      batch.Add(NewHostRoute(index, each.address, each.gateway, OtherRoute::kStays));
    }
  };
  if (const auto* routed = std::get_if<RoutedPort>(&plan.port)) {
    LinkChange up = Up();
    // Both are as conf.default has them, else.
    up.forwarding = true;
    // The gateway's address is on another link.
    up.arp_ignore = 0;
    if (routed->proxy_arp) {
      // The kernel's own delay would cost the first packet to each guest a second.
      batch.Add(SetProxyDelay(NeedIndex(host, plan.host_link), std::chrono::milliseconds(0)));
      up.proxy_arp = true;
    }
    batch.Add(SetLink(plan.host_link, up));
    // No route leads to a link that is down.
    add_routes(plan.host_link);
  } else {
    const auto& port = std::get<BridgePort>(plan.port);
    if (port.host_routes) add_routes(plan.bridge);
    batch.Add(SetLink(plan.host_link, Up()));
  }
  // Nothing but a route is there before.
  if (!SendAll(host, std::move(batch), plan.host_link, EEXIST)) return;
  for (const ReservedAddress& each : addresses) ReplaceOwnRoute(host, index, each.address, each.gateway);
}

void NeedHostRoutes(RtnlSocket& host, int link, const std::vector<ReservedAddress>& addresses) {
  for (const ReservedAddress& each : addresses) {
    if (LinkTo(host, each.address) == link) continue;
    host.Request(NewHostRoute(link, each.address, each.gateway, OtherRoute::kGoes));
  }
}

}  // namespace vulcan

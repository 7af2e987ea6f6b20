#include "engine/firewall_elements.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/ip_address.h"
#include "engine/firewall_layout.h"
#include "nft/range.h"
#include "nft/set.h"

namespace vulcan::firewall {
namespace {

IpPrefix ParseSubnet(const std::string& text) {
  const auto prefix = IpPrefix::Parse(text);
  if (!prefix) throw Error(EINVAL, "inet_pton", "not a subnet in CIDR form").Path(text);
  return *prefix;
}

IpAddress ParseGateway(const std::string& text) {
  const auto address = IpAddress::Parse(text);
  if (!address) throw Error(EINVAL, "inet_pton", "not an address").Path(text);
  return *address;
}

// Without those that lie within another one: the kernel refuses ranges that overlap.
std::vector<nft::Range> Disjoint(std::vector<nft::Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const nft::Range& left, const nft::Range& right) {
    return left.first != right.first ? left.first < right.first : left.last > right.last;
  });
  std::vector<nft::Range> disjoint;
  for (nft::Range& range : ranges) {
    if (disjoint.empty() || !nft::Overlap(disjoint.back(), range)) disjoint.push_back(std::move(range));
  }
  return disjoint;
}

void AddSubnets(Elements& elements, const Network& network) {
  std::vector<nft::Range> ipv4;
  std::vector<nft::Range> ipv6;
  for (const std::string& subnet : network.subnets) {
    const IpPrefix prefix = ParseSubnet(subnet);
    (prefix.address.Family() == AF_INET ? ipv4 : ipv6).push_back(nft::ToRange(prefix));
  }
  const auto add = [&](const char* set, const std::vector<nft::Range>& ranges) {
    for (const auto& [first, last] : ranges) elements[set].push_back({first, last, network.name});
  };
  ipv4 = Disjoint(std::move(ipv4));
  ipv6 = Disjoint(std::move(ipv6));
  add(kSubnets4, ipv4);
  add(kSubnets6, ipv6);
  if (!network.masquerade) return;
  add(kMasquerade4, ipv4);
  add(kMasquerade6, ipv6);
}

void AddBridge(Elements& elements, const Network& network, const std::string& bridge) {
  const nft::Key link = nft::LinkNameKey(bridge);
  const auto add = [&](const std::string& set, nft::Key key) {
    elements[set].push_back({std::move(key), {}, network.name});
  };
  add(kBridges, link);
  if (network.ipv6) add(kIpv6, link);
  if (network.allow_link_local) add(kLinkLocal, link);
  // Where the host is no gateway it routes nothing back, but may filter what the bridge forwards.
  if (network.isolated && !network.gateways.empty()) add(kIsolated, link);
  if (network.host_open) add(kHostOpen, link);
  for (const std::string& gateway : network.gateways) {
    const IpAddress address = ParseGateway(gateway);
    add(address.Family() == AF_INET ? kGateways4 : kGateways6, nft::Concatenate(link, nft::ToKey(address)));
  }
  if (network.host_open) return;
  for (const Service& service : network.services) {
    add(kHostPorts, nft::Concatenate(link, nft::ServiceKey(service.protocol, service.port)));
  }
}

void AddGroup(Elements& elements, const Network& network, std::uint32_t number) {
  const nft::Key group = nft::LinkGroupKey(number);
  const auto add = [&](const std::string& set, nft::Key key) {
    elements[set].push_back({std::move(key), {}, network.name});
  };
  add(kGroups, group);
  if (network.ipv6) add(kGroupIpv6, group);
  if (network.allow_link_local) add(kGroupLinkLocal, group);
  if (network.isolated) add(kGroupIsolated, group);
  if (network.host_open) add(kGroupHostOpen, group);
  for (const std::string& gateway : network.gateways) {
    const IpAddress address = ParseGateway(gateway);
    add(address.Family() == AF_INET ? kGroupGateways4 : kGroupGateways6,
        nft::Concatenate(group, nft::ToKey(address)));
  }
  if (network.host_open) return;
  for (const Service& service : network.services) {
    add(kGroupHostPorts, nft::Concatenate(group, nft::ServiceKey(service.protocol, service.port)));
  }
}

const std::vector<nft::Element>& Of(const Elements& elements, const std::string& set) {
  static const std::vector<nft::Element> none;
  const auto found = elements.find(set);
  return found == elements.end() ? none : found->second;
}

Error Conflict(const std::string& subject, const nft::Element& other) {
  const std::string owner =
      other.comment.empty() ? "an element that was added by hand" : "network '" + other.comment + "'";
  return Error(EEXIST, "NFT_MSG_NEWSETELEM", "taken by " + owner).Path(subject).Why(Reason::kNetworkConflict);
}

std::string LinkName(const nft::Key& key) {
  const std::string padded(reinterpret_cast<const char*>(key.data()), key.size());
  return padded.substr(0, padded.find('\0'));
}

}  // namespace

Elements ElementsOf(const Network& network) {
  Elements elements;
  AddSubnets(elements, network);
  for (const std::string& bridge : network.bridges) AddBridge(elements, network, bridge);
  if (network.group) AddGroup(elements, network, *network.group);
  return elements;
}

void ThrowIfConflict(const Elements& present, const Elements& wanted, const std::string& owner) {
  for (const nft::Element& bridge : Of(wanted, kBridges)) {
    for (const nft::Element& other : Of(present, kBridges)) {
      if (other.comment != owner && other.key == bridge.key) throw Conflict(LinkName(bridge.key), other);
    }
  }
  for (const nft::Element& group : Of(wanted, kGroups)) {
    for (const nft::Element& other : Of(present, kGroups)) {
      if (other.comment != owner && other.key == group.key) throw Conflict("link group", other);
    }
  }
  for (const char* set : {kSubnets4, kSubnets6}) {
    for (const nft::Element& subnet : Of(wanted, set)) {
      const nft::Range range{subnet.key, subnet.last};
      for (const nft::Element& other : Of(present, set)) {
        const bool overlap = nft::Overlap(range, {other.key, other.last});
        if (other.comment != owner && overlap) throw Conflict(nft::ToString(range), other);
      }
    }
  }
}

}  // namespace vulcan::firewall

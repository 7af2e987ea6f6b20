#include "engine/firewall_elements.h"

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

void AddSubnet(Elements& elements, const Network& network, const std::string& subnet) {
  const IpPrefix prefix = ParseSubnet(subnet);
  const bool is_ipv4 = prefix.address.Family() == AF_INET;
  const auto [first, last] = nft::ToRange(prefix);
  elements[is_ipv4 ? kSubnets4 : kSubnets6].push_back({first, last, network.name});
  if (network.masquerade) {
    elements[is_ipv4 ? kMasquerade4 : kMasquerade6].push_back({first, last, network.name});
  }
}

void AddBridge(Elements& elements, const Network& network, const std::string& bridge) {
  const nft::Key link = nft::LinkNameKey(bridge);
  const auto add = [&](const std::string& set, nft::Key key) {
    elements[set].push_back({std::move(key), {}, network.name});
  };
  add(kBridges, link);
  if (network.ipv6) add(kIpv6, link);
  if (network.allow_link_local) add(kLinkLocal, link);
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
  for (const std::string& subnet : network.subnets) AddSubnet(elements, network, subnet);
  for (const std::string& bridge : network.bridges) AddBridge(elements, network, bridge);
  return elements;
}

void ThrowIfConflict(const Elements& present, const Elements& wanted, const std::string& owner) {
  for (const nft::Element& bridge : Of(wanted, kBridges)) {
    for (const nft::Element& other : Of(present, kBridges)) {
      if (other.comment != owner && other.key == bridge.key) throw Conflict(LinkName(bridge.key), other);
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

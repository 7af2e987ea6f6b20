#include "engine/forward_chains.h"

#include <linux/netfilter.h>

#include <algorithm>

#include "engine/firewall_layout.h"
#include "engine/forward_chains_legacy.h"
#include "nft/chain.h"
#include "nft/fate.h"
#include "sys/sysctl.h"

namespace vulcan {
namespace {

// Whether br_netfilter hands bridged frames to a family's chains. The key is there only with the module.
bool IsOn(const char* key) { return ReadSysctl(key).value_or("0") != "0"; }

struct Bridged {
  bool ipv4 = IsOn("net/bridge/bridge-nf-call-iptables");
  bool ipv6 = IsOn("net/bridge/bridge-nf-call-ip6tables");
};

// What we call a family, and whether bridged frames pass its chains; an empty name for one that guests never
// meet.
struct Family {
  std::string name;
  bool bridged = false;
};

Family Describe(std::uint8_t family, const Bridged& bridged) {
  switch (family) {
    case NFPROTO_IPV4:
      return {"ip", bridged.ipv4};
    case NFPROTO_IPV6:
      return {"ip6", bridged.ipv6};
    case NFPROTO_INET:
      return {"inet", bridged.ipv4 || bridged.ipv6};
    case NFPROTO_BRIDGE:
      return {"bridge", true};
    default:
      return {};
  }
}

bool IsOurs(const nft::Table& table) {
  const nft::Table& ours = firewall::VulcanTable();
  return table.family == ours.family && table.name == ours.name;
}

bool HasDockerUser(const std::vector<nft::ChainInfo>& chains, const nft::Table& table) {
  return std::any_of(chains.begin(), chains.end(), [&table](const nft::ChainInfo& chain) {
    return chain.table.family == table.family && chain.table.name == table.name &&
           chain.name == kDockerUserChain;
  });
}

}  // namespace

std::vector<ForwardChain> ListForwardChains() {
  const Bridged bridged;
  std::vector<ForwardChain> chains;
  nft::Socket socket;
  const std::vector<nft::ChainInfo> all = nft::ListChains(socket);
  for (const nft::ChainInfo& chain : all) {
    const Family family = Describe(chain.table.family, bridged);
    const bool is_forward =
        chain.hook && chain.hook->number == NF_INET_FORWARD && chain.hook->type == "filter";
    if (!is_forward || family.name.empty() || IsOurs(chain.table)) continue;
    const nft::Fate fate = nft::ReadFate(socket, chain.table, chain.name);
    const bool drops = fate == nft::Fate::kDropped || (fate == nft::Fate::kUndecided && chain.drops);
    chains.push_back(
        {family.name, chain.table.name, chain.name, drops, family.bridged, HasDockerUser(all, chain.table)});
  }
  return chains;
}

std::vector<ForwardChain> ListLegacyForwardChains() {
  const auto found = ReadLegacyForward();
  if (!found) return {};
  return {{"legacy", "filter", "FORWARD", found->drops, Bridged().ipv4, found->docker_user}};
}

}  // namespace vulcan

#include "engine/foreign_chains.h"

#include <linux/netfilter.h>

#include <algorithm>

#include "engine/firewall_layout.h"
#include "engine/foreign_chains_legacy.h"
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

// Empty for what no packet of a guest's meets.
std::string NameOfHook(const nft::ChainInfo& chain) {
  if (!chain.hook || chain.hook->type != "filter") return {};
  switch (chain.hook->number) {
    case NF_INET_FORWARD:
      return "forward";
    case NF_INET_LOCAL_IN:
      return "input";
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

std::vector<ForeignChain> ListForeignChains() {
  const Bridged bridged;
  std::vector<ForeignChain> chains;
  nft::Socket socket;
  const std::vector<nft::ChainInfo> all = nft::ListChains(socket);
  for (const nft::ChainInfo& chain : all) {
    const Family family = Describe(chain.table.family, bridged);
    const std::string hook = NameOfHook(chain);
    if (hook.empty() || family.name.empty() || IsOurs(chain.table)) continue;
    const nft::Fate fate = nft::ReadFate(socket, chain.table, chain.name);
    const bool drops = fate == nft::Fate::kDropped || (fate == nft::Fate::kUndecided && chain.drops);
    chains.push_back({family.name, chain.table.name, chain.name, hook, drops, family.bridged,
                      HasDockerUser(all, chain.table)});
  }
  return chains;
}

std::vector<ForeignChain> ListLegacyForeignChains() {
  const auto found = ReadLegacyFilter();
  if (!found) return {};
  const bool bridged = Bridged().ipv4;
  return {{"legacy", "filter", "FORWARD", "forward", found->forward_drops, bridged, found->docker_user},
          {"legacy", "filter", "INPUT", "input", found->input_drops, bridged, found->docker_user}};
}

}  // namespace vulcan

#include "nft/chain.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "base/error.h"
#include "nft/handle.h"

namespace vulcan::nft {
namespace {

std::string Text(const nftnl_chain* chain, std::uint16_t attribute) {
  const char* text = nftnl_chain_get_str(chain, attribute);
  return text == nullptr ? std::string() : text;
}

}  // namespace

void AddChain(Batch& batch, const Table& table, const Chain& chain) {
  const auto handle = Own<ChainHandle>(nftnl_chain_alloc());
  nftnl_chain_set_str(handle.get(), NFTNL_CHAIN_TABLE, table.name.c_str());
  nftnl_chain_set_str(handle.get(), NFTNL_CHAIN_NAME, chain.name.c_str());
  if (chain.hook) {
    nftnl_chain_set_str(handle.get(), NFTNL_CHAIN_TYPE, chain.hook->type.c_str());
    nftnl_chain_set_u32(handle.get(), NFTNL_CHAIN_HOOKNUM, chain.hook->number);
    nftnl_chain_set_s32(handle.get(), NFTNL_CHAIN_PRIO, chain.hook->priority);
    nftnl_chain_set_u32(handle.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
  }
  batch.Add(NFT_MSG_NEWCHAIN, table.family, NLM_F_CREATE, "chain " + chain.name,
            [&](nlmsghdr* header) { nftnl_chain_nlmsg_build_payload(header, handle.get()); });
}

void FlushChain(Batch& batch, const Table& table, const std::string& chain) {
  const auto handle = Own<RuleHandle>(nftnl_rule_alloc());
  nftnl_rule_set_str(handle.get(), NFTNL_RULE_TABLE, table.name.c_str());
  nftnl_rule_set_str(handle.get(), NFTNL_RULE_CHAIN, chain.c_str());
  batch.Add(NFT_MSG_DELRULE, table.family, 0, "chain " + chain,
            [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, handle.get()); });
}

std::vector<ChainInfo> ListChains(Socket& socket) {
  std::vector<ChainInfo> chains;
  for (const Message& message : socket.Dump(NFT_MSG_GETCHAIN, AF_UNSPEC, [](nlmsghdr*) {})) {
    const auto handle = Own<ChainHandle>(nftnl_chain_alloc());
    if (!AreTexts(Header(message), {NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_TYPE}) ||
        nftnl_chain_nlmsg_parse(Header(message), handle.get()) < 0)
      throw Error(EBADMSG, "NFT_MSG_GETCHAIN");
    const nftnl_chain* chain = handle.get();
    ChainInfo info{{static_cast<std::uint8_t>(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY)),
                    Text(chain, NFTNL_CHAIN_TABLE)},
                   Text(chain, NFTNL_CHAIN_NAME),
                   std::nullopt,
                   false};
    if (nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM)) {
      info.hook = Hook{Text(chain, NFTNL_CHAIN_TYPE), nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
                       nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO)};
      info.drops = nftnl_chain_is_set(chain, NFTNL_CHAIN_POLICY) &&
                   nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP;
    }
    chains.push_back(std::move(info));
  }
  return chains;
}

}  // namespace vulcan::nft

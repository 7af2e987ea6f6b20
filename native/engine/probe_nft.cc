#include <linux/netfilter.h>

#include <cerrno>

#include "base/error.h"
#include "base/immortal.h"
#include "base/ip_address.h"
#include "engine/guard_layout.h"
#include "engine/probe.h"
#include "nft/batch.h"
#include "nft/chain.h"
#include "nft/conntrack.h"
#include "nft/element.h"
#include "nft/rule.h"
#include "nft/set.h"
#include "nft/table.h"

namespace vulcan {
namespace {

using nft::DataType;

constexpr const char* kComment = "probe";
constexpr std::int32_t kPrioritySourceNat = 100;

const nft::Table& ProbeTable() {
  static const Immortal table{nft::Table{NFPROTO_INET, "probe"}};
  return *table;
}

void Commit(const std::function<void(nft::Batch&)>& fill) {
  nft::Socket socket;
  nft::Batch batch(socket.Generation());
  fill(batch);
  batch.Commit(socket);
}

void AddForward(nft::Batch& batch) {
  nft::AddTable(batch, ProbeTable(), kComment);
  nft::AddChain(batch, ProbeTable(), {"forward", nft::Hook{"filter", NF_INET_FORWARD, 0}});
}

void ReadComment() {
  nft::Socket socket;
  const auto made = nft::ReadTable(socket, ProbeTable());
  if (!made || made->comment != kComment) {
    throw Error(EOPNOTSUPP, "NFT_MSG_GETTABLE", "the kernel keeps no comment of a table (Linux 5.10)");
  }
}

void UseInterval(nft::Batch& batch) {
  const nft::Set set{"interval", {DataType::kIpv4}, true, "ranges of addresses"};
  const auto [first, last] = nft::ToRange(IpPrefix::Parse("10.0.0.0/8").value());
  nft::AddSet(batch, ProbeTable(), set);
  nft::AddElements(batch, ProbeTable(), set, {{first, last, kComment}});
  nft::Rule("forward").Ipv4().SourceIn(set.name).Accept().Append(batch, ProbeTable());
}

void UseConcatenation(nft::Batch& batch) {
  const nft::Set set{"concatenation",
                     {DataType::kLinkName, DataType::kProtocol, DataType::kPort},
                     false,
                     "links and services"};
  nft::AddSet(batch, ProbeTable(), set);
  const nft::Key key = nft::Concatenate(nft::LinkNameKey("lo"), nft::ServiceKey(0, 0));
  nft::AddElements(batch, ProbeTable(), set, {{key, {}, kComment}});
  nft::Rule("forward").InLinkAndServiceIn(set.name).Accept().Append(batch, ProbeTable());
}

void UseConntrack(nft::Batch& batch) {
  nft::Rule("forward").StateIn(nft::kEstablished).Accept().Append(batch, ProbeTable());
}

void UseMasquerade(nft::Batch& batch) {
  nft::AddChain(batch, ProbeTable(),
                {"postrouting", nft::Hook{"nat", NF_INET_POST_ROUTING, kPrioritySourceNat}});
  nft::Rule("postrouting").Ipv4().OutNotLoopback().Masquerade().Append(batch, ProbeTable());
}

void UseGuard(bool routed) {
  Commit([routed](nft::Batch& batch) {
    for (const nft::Table& table : guard::Tables(routed)) guard::AddLayout(batch, table);
  });
}

// It tracks by now, for the rules that look at a connection's state.
void CountConnections() { static_cast<void>(Conntrack().Count()); }

}  // namespace

std::vector<ProbeResult> ProbeNft() {
  return {
      Try("nf_tables", [] { Commit(AddForward); }),
      Try("nft_comment", ReadComment),
      Try("nft_interval", [] { Commit(UseInterval); }),
      Try("nft_concatenation", [] { Commit(UseConcatenation); }),
      Try("nft_conntrack", [] { Commit(UseConntrack); }),
      Try("nft_masquerade", [] { Commit(UseMasquerade); }),
      Try("guard_bridge", [] { UseGuard(false); }),
      Try("guard_routed", [] { UseGuard(true); }),
      Try("conntrack_netlink", CountConnections),
  };
}

}  // namespace vulcan

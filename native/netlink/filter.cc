#include "netlink/filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <array>
#include <cstddef>

#include "netlink/attributes.h"
#include "netlink/qdisc.h"

namespace vulcan {

namespace {

using Selector = std::array<std::byte, sizeof(tc_u32_sel) + sizeof(tc_u32_key)>;

// A u32 selector that matches everything: one key of mask 0. tc_u32_sel ends in a flexible array of its keys,
// so that it can't be a variable.
Selector CatchAll() {
  alignas(tc_u32_sel) Selector bytes{};
  auto* selector = reinterpret_cast<tc_u32_sel*>(bytes.data());
  selector->flags = TC_U32_TERMINAL;
  selector->nkeys = 1;
  return bytes;
}

std::optional<int> RedirectTarget(const nlattr* actions) {
  const Attributes<TCA_ACT_MAX_PRIO> list(actions);
  for (int order = 1; order <= TCA_ACT_MAX_PRIO; ++order) {
    if (!list.Has(order)) continue;
    const Attributes<TCA_ACT_MAX> action(list.Get(order));
    if (action.String(TCA_ACT_KIND) != "mirred") continue;
    const Attributes<TCA_MIRRED_MAX> options(action.Get(TCA_ACT_OPTIONS));
    const auto mirred = options.Struct<tc_mirred>(TCA_MIRRED_PARMS);
    if (mirred.eaction == TCA_EGRESS_REDIR) return static_cast<int>(mirred.ifindex);
  }
  return std::nullopt;
}

std::optional<Filter> ParseFilter(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWTFILTER) return std::nullopt;
  const auto fixed = FixedPart<tcmsg>(message);
  const Attributes<TCA_MAX> attributes(message, sizeof fixed);
  Filter filter;
  filter.link = fixed.tcm_ifindex;
  filter.kind = attributes.String(TCA_KIND);
  filter.parent = fixed.tcm_parent;
  filter.priority = TC_H_MAJ(fixed.tcm_info) >> 16;
  filter.protocol = ntohs(static_cast<std::uint16_t>(TC_H_MIN(fixed.tcm_info)));
  filter.handle = fixed.tcm_handle;
  if (filter.kind == "u32") {
    const Attributes<TCA_U32_MAX> options(attributes.Get(TCA_OPTIONS));
    filter.redirect_to = RedirectTarget(options.Get(TCA_U32_ACT));
  }
  return filter;
}

tcmsg IngressFilter(int link) {
  tcmsg fixed{};
  fixed.tcm_ifindex = link;
  fixed.tcm_parent = kIngressHandle;
  return fixed;
}

}  // namespace

std::vector<Filter> DumpIngressFilters(RtnlSocket& socket, int link) {
  return socket.Dump(RtnlMessage(RTM_GETTFILTER, 0, IngressFilter(link)), ParseFilter);
}

RtnlMessage NewRedirectFilter(int link, int target) {
  tcmsg fixed = IngressFilter(link);
  // Priority 0: the kernel chooses.
  fixed.tcm_info = TC_H_MAKE(0U, htons(ETH_P_ALL));
  const auto match = CatchAll();
  tc_mirred mirred{};
  mirred.action = TC_ACT_STOLEN;
  mirred.eaction = TCA_EGRESS_REDIR;
  mirred.ifindex = static_cast<std::uint32_t>(target);

  RtnlMessage message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.PutString(TCA_KIND, "u32").Nest(TCA_OPTIONS, [&](RtnlMessage& options) {
    options.Put(TCA_U32_SEL, match.data(), match.size()).Nest(TCA_U32_ACT, [&](RtnlMessage& actions) {
      actions.Nest(1, [&](RtnlMessage& action) {
        action.PutString(TCA_ACT_KIND, "mirred").Nest(TCA_ACT_OPTIONS, [&](RtnlMessage& parameters) {
          parameters.Put(TCA_MIRRED_PARMS, &mirred, sizeof mirred);
        });
      });
    });
  });
  return message;
}

}  // namespace vulcan

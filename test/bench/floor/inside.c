#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "floor.h"

enum { kTapIndex = 2, kEthIndex = 3 };

static void PutIpv6Off(struct Batch* batch, int link_index) {
  const struct ifinfomsg link = {.ifi_index = link_index};
  const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
  BeginMessage(batch, RTM_SETLINK, 0, &link, sizeof link);
  struct nlattr* families = BeginNest(batch, IFLA_AF_SPEC);
  struct nlattr* family = BeginNest(batch, AF_INET6);
  PutAttribute(batch, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
  EndNest(batch, family);
  EndNest(batch, families);
}

static void PutIngress(struct Batch* batch, int link_index) {
  const struct tcmsg qdisc = {
      .tcm_ifindex = link_index, .tcm_parent = TC_H_INGRESS, .tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0)};
  BeginMessage(batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &qdisc, sizeof qdisc);
  PutText(batch, TCA_KIND, "ingress");
}

static void PutRedirect(struct Batch* batch, int from_index, int to_index) {
  const struct tcmsg filter = {.tcm_ifindex = from_index,
                               .tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0),
                               .tcm_info = TC_H_MAKE(0, htons(ETH_P_ALL))};
  const struct tc_mirred redirect = {
      .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = (uint32_t)to_index};
  struct {
    struct tc_u32_sel selector;
    struct tc_u32_key key;
  } everything = {.selector = {.flags = TC_U32_TERMINAL, .nkeys = 1}};
  BeginMessage(batch, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &filter, sizeof filter);
  PutText(batch, TCA_KIND, "u32");
  struct nlattr* options = BeginNest(batch, TCA_OPTIONS);
  PutAttribute(batch, TCA_U32_SEL, &everything, sizeof everything);
  struct nlattr* actions = BeginNest(batch, TCA_U32_ACT);
  struct nlattr* action = BeginNest(batch, 1);
  PutText(batch, TCA_ACT_KIND, "mirred");
  struct nlattr* mirred = BeginNest(batch, TCA_ACT_OPTIONS);
  PutAttribute(batch, TCA_MIRRED_PARMS, &redirect, sizeof redirect);
  EndNest(batch, mirred);
  EndNest(batch, action);
  EndNest(batch, actions);
  EndNest(batch, options);
}

static void PutAddress(struct Batch* batch, const struct Network* network, const struct Vm* vm) {
  const struct ifaddrmsg address = {.ifa_family = AF_INET,
                                    .ifa_prefixlen = (uint8_t)network->prefix_length,
                                    .ifa_scope = RT_SCOPE_UNIVERSE,
                                    .ifa_index = kEthIndex};
  const uint32_t host_bits = htonl(0xffffffffu >> network->prefix_length);
  BeginMessage(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &address, sizeof address);
  PutUint32(batch, IFA_LOCAL, vm->address.s_addr);
  PutUint32(batch, IFA_ADDRESS, vm->address.s_addr);
  PutUint32(batch, IFA_BROADCAST, vm->address.s_addr | host_bits);
}

static void PutUp(struct Batch* batch, int link_index) {
  const struct ifinfomsg link = {.ifi_index = link_index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  BeginMessage(batch, RTM_SETLINK, 0, &link, sizeof link);
}

static void PutDefaultRoute(struct Batch* batch, const struct Network* network) {
  const struct rtmsg route = {.rtm_family = AF_INET,
                              .rtm_table = RT_TABLE_MAIN,
                              .rtm_protocol = RTPROT_BOOT,
                              .rtm_scope = RT_SCOPE_UNIVERSE,
                              .rtm_type = RTN_UNICAST};
  BeginMessage(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &route, sizeof route);
  PutUint32(batch, RTA_GATEWAY, network->gateway.s_addr);
  PutUint32(batch, RTA_OIF, kEthIndex);
}

// Qdiscs and filters stand before the links are up, so that no packet ever meets a link without them.
void ConfigureNamespace(const struct Network* network, const struct Vm* vm, int socket) {
  struct Batch batch = {.length = 0};
  PutIpv6Off(&batch, kTapIndex);
  PutIpv6Off(&batch, kEthIndex);
  PutIngress(&batch, kTapIndex);
  PutIngress(&batch, kEthIndex);
  PutRedirect(&batch, kTapIndex, kEthIndex);
  PutRedirect(&batch, kEthIndex, kTapIndex);
  PutAddress(&batch, network, vm);
  PutUp(&batch, kTapIndex);
  PutUp(&batch, kEthIndex);
  PutDefaultRoute(&batch, network);
  Transact(socket, &batch, "configure the namespace");
}

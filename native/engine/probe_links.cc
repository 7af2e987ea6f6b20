#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/error.h"
#include "engine/probe.h"
#include "netlink/bridge_link.h"
#include "netlink/bridge_port.h"
#include "netlink/filter.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "netlink/qdisc.h"
#include "netlink/rtnl_socket.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

constexpr const char* kBridge = "bridge0";
constexpr const char* kVeth = "port0";
constexpr const char* kTap = "tap0";

void AddBridge(RtnlSocket& socket) {
  socket.Request(NewBridge(kBridge, ParseMac("02:00:00:00:00:01").value()));
}

void AddVeth(RtnlSocket& socket) {
  RtnlMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
  message.PutString(IFLA_IFNAME, kVeth).Nest(IFLA_LINKINFO, [](RtnlMessage& info) {
    info.PutString(IFLA_INFO_KIND, "veth");
  });
  socket.Request(std::move(message));
}

// A port that is made and cut off: what a VM's link goes through.
void UsePort(RtnlSocket& socket) {
  const auto bridge = FindLink(socket, kBridge);
  const auto veth = FindLink(socket, kVeth);
  if (!bridge || !veth) throw Error(ENODEV, "RTM_GETLINK");
  LinkChange change;
  change.master = bridge->index;
  change.up = true;
  socket.Request(SetLink(veth->index, change));
  socket.Request(CutPort(veth->index));
}

// A filter that matches everything and does nothing: on loopback, so that it is proven where links can't be
// made.
void AddU32(RtnlSocket& socket) {
  tcmsg fixed{};
  fixed.tcm_ifindex = kLoopback;
  fixed.tcm_parent = kIngressHandle;
  fixed.tcm_info = TC_H_MAKE(0U, htons(ETH_P_ALL));
  // tc_u32_sel ends in a flexible array, of which this selector needs nothing.
  std::array<std::byte, sizeof(tc_u32_sel)> selector{};
  selector[offsetof(tc_u32_sel, flags)] = std::byte{TC_U32_TERMINAL};
  RtnlMessage message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, fixed);
  message.PutString(TCA_KIND, "u32").Nest(TCA_OPTIONS, [&](RtnlMessage& options) {
    options.Put(TCA_U32_SEL, selector.data(), selector.size()).PutU32(TCA_U32_CLASSID, 1);
  });
  socket.Request(std::move(message));
}

}  // namespace

std::vector<ProbeResult> ProbeLinks() {
  RtnlSocket socket;
  std::vector<ProbeResult> results = {
      Try("bridge", [&] { AddBridge(socket); }),
      Try("veth", [&] { AddVeth(socket); }),
      Try("bridge_port", [&] { UsePort(socket); }),
      Try("tap",
          [] {
            CreateTap(kTap, {::geteuid(), ::getegid()});
          }),
      Try("ingress", [&] { socket.Request(NewIngressQdisc(kLoopback)); }),
      Try("u32", [&] { AddU32(socket); }),
  };
  // It is an action of a filter, so there is no proof without one.
  if (results.back().ok) {
    results.push_back(Try("mirred", [&] { socket.Request(NewRedirectFilter(kLoopback, kLoopback)); }));
  }
  return results;
}

}  // namespace vulcan

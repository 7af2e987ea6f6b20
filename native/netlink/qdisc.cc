#include "netlink/qdisc.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.h"

namespace vulcan {

namespace {

std::optional<Qdisc> ParseQdisc(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWQDISC) return std::nullopt;
  const auto fixed = FixedPart<tcmsg>(message);
  const Attributes<TCA_MAX> attributes(message, sizeof fixed);
  return Qdisc{fixed.tcm_ifindex, attributes.String(TCA_KIND), fixed.tcm_handle, fixed.tcm_parent};
}

tcmsg IngressOf(int link) {
  tcmsg fixed{};
  fixed.tcm_ifindex = link;
  fixed.tcm_parent = TC_H_INGRESS;
  return fixed;
}

}  // namespace

bool Qdisc::IsIngress() const noexcept { return kind == "ingress" && parent == TC_H_INGRESS; }

std::vector<Qdisc> DumpQdiscs(RtnlSocket& socket) {
  return socket.Dump(RtnlMessage(RTM_GETQDISC, 0, tcmsg{}), ParseQdisc);
}

RtnlMessage NewIngressQdisc(int link) {
  RtnlMessage message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, IngressOf(link));
  message.PutString(TCA_KIND, "ingress");
  return message;
}

RtnlMessage DelIngressQdisc(int link) {
  RtnlMessage message(RTM_DELQDISC, 0, IngressOf(link));
  // A clsact qdisc sits at the same parent; it would be deleted without the kind.
  message.PutString(TCA_KIND, "ingress");
  return message;
}

}  // namespace vulcan

#include "engine/amend.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "netlink/address.h"
#include "netlink/filter.h"
#include "netlink/link.h"
#include "netlink/qdisc.h"
#include "netlink/route.h"
#include "sys/link_presence.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

// In the thread that is in the namespace.
class Amender {
 public:
  void operator()(const TapAmendment& tap) {
    if (FindLink(socket_, tap.name)) return ChangeTapOwner(tap.name, tap.owner);
    CreateTap(tap.name, tap.owner);
    if (!HasIpv6()) return;
    LinkChange quiet;
    quiet.ipv6 = AddressGeneration::kNone;
    socket_.Request(SetLink(Need(tap.name), quiet));
  }

  void operator()(const LinkAmendment& link) { socket_.Request(SetLink(Need(link.name), link.change)); }

  void operator()(const AddressAmendment& address) {
    const std::uint8_t flags = address.prefix.address.Family() == AF_INET6 ? IFA_F_NODAD : 0;
    UnlessThere([&] { socket_.Request(NewAddress(Need(address.link), address.prefix, flags)); });
  }

  void operator()(const RouteAmendment& route) {
    UnlessThere([&] { socket_.Request(NewRoute(Need(route.link), route.destination, route.gateway)); });
  }

  void operator()(const RedirectAmendment& redirect) {
    const int from = Need(redirect.from);
    const int to = Need(redirect.to);
    if (HasIngress(from)) {
      // Only a qdisc that is made anew has none of the filters that stood before ours.
      const auto filters = DumpIngressFilters(socket_, from);
      const auto leads = [to](const Filter& filter) { return filter.redirect_to == to; };
      if (std::any_of(filters.begin(), filters.end(), leads)) return;
      if (!filters.empty()) socket_.Request(DelIngressQdisc(from));
    }
    UnlessThere([&] { socket_.Request(NewIngressQdisc(from)); });
    socket_.Request(NewRedirectFilter(from, to));
  }

 private:
  [[nodiscard]] int Need(const std::string& name) {
    const auto link = FindLink(socket_, name);
    if (!link) throw Error(ENODEV, RtnlTypeName(RTM_GETLINK)).Path(name);
    return link->index;
  }

  [[nodiscard]] bool HasIngress(int link) {
    const auto qdiscs = DumpQdiscs(socket_);
    return std::any_of(qdiscs.begin(), qdiscs.end(),
                       [link](const Qdisc& qdisc) { return qdisc.link == link && qdisc.IsIngress(); });
  }

  template <typename Add>
  static void UnlessThere(Add add) {
    try {
      add();
    } catch (const Error& error) {
      if (error.Errnum() != EEXIST) throw;
    }
  }

  RtnlSocket socket_;
};

[[nodiscard]] std::optional<Error> Try(Amender& amender, const Amendment& amendment) {
  try {
    std::visit(amender, amendment);
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace

std::vector<std::optional<Error>> Amend(const AmendPlan& plan, const Cancellation& cancellation) {
  const UniqueFd fd = OpenNamespace(plan.netns);
  return InNamespace(fd.Get(), [&] {
    Amender amender;
    std::vector<std::optional<Error>> errors;
    for (const Amendment& amendment : plan.amendments) {
      cancellation.ThrowIfCancelled();
      errors.push_back(Try(amender, amendment));
    }
    return errors;
  });
}

}  // namespace vulcan

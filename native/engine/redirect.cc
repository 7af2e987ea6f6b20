#include "engine/redirect.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/undo.h"
#include "netlink/filter.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "netlink/qdisc.h"

namespace vulcan {
namespace {

[[nodiscard]] Link NeedLink(RtnlSocket& socket, const std::string& name) {
  auto link = FindLink(socket, name);
  if (!link) throw Error(ENODEV, RtnlTypeName(RTM_GETLINK)).Path(name);
  return *std::move(link);
}

// The device's name goes with whatever the kernel refuses.
void Change(RtnlSocket& socket, const Link& device, RtnlMessage message) {
  try {
    socket.Request(std::move(message));
  } catch (Error& error) {
    throw error.Path(device.name);
  }
}

void Wire(RtnlSocket& socket, const Link& link, const Link& tap, UndoStack& undo) {
  LinkChange mtu;
  mtu.mtu = link.mtu;
  LinkChange up;
  up.up = true;
  Change(socket, tap, SetLink(tap.index, mtu));
  Change(socket, tap, SetLink(tap.index, up));
  Change(socket, tap, NewIngressQdisc(tap.index));
  Change(socket, link, NewIngressQdisc(link.index));
  undo.Push([&socket, &link] { Change(socket, link, DelIngressQdisc(link.index)); });
  Change(socket, tap, NewRedirectFilter(tap.index, link.index));
  Change(socket, link, NewRedirectFilter(link.index, tap.index));
}

}  // namespace

RedirectState AddRedirect(const RedirectPlan& plan) {
  RtnlSocket socket;
  const Link link = NeedLink(socket, plan.link);
  Tap tap(plan.tap, plan.owner);
  UndoStack undo;
  try {
    const Link device = NeedLink(socket, tap.Name());
    Wire(socket, link, device, undo);
    tap.Persist();
  } catch (Error& error) {
    undo.Unwind(error);
    throw;
  }
  return {tap.Name(), link.mac};
}

std::optional<RedirectFault> CheckRedirect(const std::string& link, const std::string& tap) {
  using Kind = RedirectFault::Kind;
  RtnlSocket socket;
  const std::array names = {tap, link};
  std::array<Link, 2> devices;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto found = FindLink(socket, names[i]);
    if (!found) return RedirectFault{Kind::kNoLink, names[i]};
    devices[i] = *std::move(found);
  }
  const auto qdiscs = DumpQdiscs(socket);
  for (const Link& device : devices) {
    const auto of_device = [&](const Qdisc& qdisc) {
      return qdisc.link == device.index && qdisc.IsIngress();
    };
    if (std::none_of(qdiscs.begin(), qdiscs.end(), of_device))
      return RedirectFault{Kind::kNoQdisc, device.name};
  }
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const int other = devices[1 - i].index;
    const auto filters = DumpIngressFilters(socket, devices[i].index);
    const auto leads = [&](const Filter& filter) { return filter.redirect_to == other; };
    if (std::none_of(filters.begin(), filters.end(), leads))
      return RedirectFault{Kind::kNoFilter, devices[i].name};
  }
  return std::nullopt;
}

}  // namespace vulcan

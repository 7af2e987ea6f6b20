#include "engine/host_routes.h"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "base/error.h"
#include "netlink/host_route.h"

namespace vulcan {
namespace {

// Whether it went through.
[[nodiscard]] bool RequestUnless(int errnum, RtnlSocket& socket, RtnlMessage message,
                                 const IpPrefix& destination) {
  try {
    socket.Request(std::move(message));
    return true;
  } catch (Error& error) {
    if (error.Errnum() != errnum) throw error.Path(destination.ToString());
    return false;
  }
}

}  // namespace

bool AddRoute(const HostRoutePlan& plan) {
  RtnlSocket socket;
  if (!plan.link)
    return RequestUnless(EEXIST, socket, NewUnreachableRoute(plan.destination), plan.destination);
  const auto link = socket.IndexOf(*plan.link);
  if (!link) throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(*plan.link);
  socket.Request(NewHostRoute(*link, plan.destination.address, plan.source, OtherRoute::kGoes));
  return true;
}

// The kernel removes by the protocol, but replaces whatever it finds.
void ReplaceOwnRoute(RtnlSocket& socket, int link, const IpAddress& guest,
                     const std::optional<IpAddress>& source) {
  const IpPrefix whole{guest, guest.Bits()};
  static_cast<void>(RemoveRoute(socket, whole));
  if (RequestUnless(EEXIST, socket, NewHostRoute(link, guest, source, OtherRoute::kStays), whole)) return;
  throw Error(EEXIST, RtnlTypeName(RTM_NEWROUTE), "the host has a route to it that is not ours")
      .Path(whole.ToString());
}

bool RemoveRoute(RtnlSocket& socket, const IpPrefix& destination) {
  return RequestUnless(ESRCH, socket, DelRoute(destination), destination);
}

}  // namespace vulcan

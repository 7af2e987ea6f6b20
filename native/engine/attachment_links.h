#pragma once

#include <string>
#include <vector>

#include "engine/attachment_plan.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {

// The requests of an attachment, each a batch that travels in one send; the first failure of it is thrown.
// Nothing is looked up but indexes, which takes no lock.

// The host's link, down, and its peer in the namespace. `bridge` is the index of the plan's.
void AddHostLink(RtnlSocket& host, const InterfacePlan& plan, int bridge, int netns_fd);

// Everything inside of the namespace. Qdiscs and filters come before the links are up, so that no frame of
// the namespace's own reaches the bridge.
void ConfigureInside(RtnlSocket& inside, const InterfacePlan& plan,
                     const std::vector<ReservedAddress>& addresses);

// Last of all: from then on frames are forwarded, and the host's routes lead to the guest. EEXIST where
// somebody else's does.
void SetHostLinkUp(RtnlSocket& host, const InterfacePlan& plan,
                   const std::vector<ReservedAddress>& addresses);

// Puts back what leads elsewhere, or nowhere: a bridge that was down for a moment has lost its routes. Where
// none is missing it takes no RTNL.
void NeedHostRoutes(RtnlSocket& host, int link, const std::vector<ReservedAddress>& addresses);

}  // namespace vulcan

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "netlink/bridge_port.h"
#include "netlink/link_change.h"

namespace vulcan {

// Mirrors LinkPlan in lib/native/netlink.ts.
struct LinkPlan {
  // Empty: the namespace of the calling thread.
  std::optional<std::string> netns;
  std::string name;
  LinkChange change;
  // The name that it gets, before anything else.
  std::optional<std::string> new_name;
  // Name of the bridge to become a port of. ENOENT when there is no such link.
  std::optional<std::string> master;
  // Of a bridge's port: whether it is cut off, or let in again.
  std::optional<bool> cut;
  std::optional<BridgePortOptions> port_options;
  // Whether it becomes a guest's port (SetBridgePort, kGuestPortGroup) without any of them, where it is a
  // port.
  bool guest_port = false;
};

// Whether there was such a link. A cut comes first: it must not wait for anything else.
[[nodiscard]] bool ChangeLink(const LinkPlan& plan);
// With an alias, a link of another is left alone: it has the name of one that has gone.
[[nodiscard]] bool DeleteLink(const std::optional<std::string>& netns, const std::string& name,
                              const std::optional<std::string>& alias);

}  // namespace vulcan

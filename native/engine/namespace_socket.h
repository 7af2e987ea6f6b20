#pragma once

#include <optional>
#include <string>

#include "netlink/rtnl_socket.h"

namespace vulcan {

// A socket in the network namespace at a path, or, without one, in the calling thread's. The caller stays
// where it is.
[[nodiscard]] RtnlSocket OpenRtnlSocket(const std::optional<std::string>& netns);

}  // namespace vulcan

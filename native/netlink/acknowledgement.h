#pragma once

#include <netlink/msg.h>

#include <optional>

#include "base/error.h"

namespace vulcan {

// The failure that an NLMSG_ERROR or NLMSG_DONE message reports about a request of type `type`, with the
// kernel's extended acknowledgement; empty when it reports success.
[[nodiscard]] std::optional<Error> ReadAcknowledgement(const nlmsghdr& message, int type);

}  // namespace vulcan

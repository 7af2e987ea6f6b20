#pragma once

#include <optional>

#include "netlink/rtnl_socket.h"

namespace vulcan {

// What namings and returns of slots share. It must be used by one thread alone.
class SlotHost {
 public:
  [[nodiscard]] RtnlSocket& Links() {
    if (!links_) links_.emplace();
    return *links_;
  }

 private:
  std::optional<RtnlSocket> links_;
};

}  // namespace vulcan

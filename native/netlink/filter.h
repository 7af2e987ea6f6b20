#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netlink/rtnl_socket.h"

namespace vulcan {

struct Filter {
  int link = 0;
  std::string kind;
  std::uint32_t parent = 0;
  // `pref` in tc's words.
  std::uint32_t priority = 0;
  // ETH_P_*, host byte order.
  std::uint32_t protocol = 0;
  std::uint32_t handle = 0;
  // What its mirred action names as target: absent without such an action, 0 when that link is gone.
  std::optional<int> redirect_to;
};

// As the kernel lists them: a u32 filter comes with an entry for its priority and one for its hash table.
[[nodiscard]] std::vector<Filter> DumpIngressFilters(RtnlSocket& socket, int link);

// Everything that comes in on `link` goes out on `target` and no further (u32 catch-all, mirred redirect).
[[nodiscard]] RtnlMessage NewRedirectFilter(int link, int target);

}  // namespace vulcan

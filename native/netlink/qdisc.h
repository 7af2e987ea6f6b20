#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netlink/rtnl_socket.h"

namespace vulcan {

// The ingress qdisc's own handle; its filters hang there.
inline constexpr std::uint32_t kIngressHandle = 0xffff0000;

struct Qdisc {
  int link = 0;
  std::string kind;
  std::uint32_t handle = 0;
  std::uint32_t parent = 0;

  [[nodiscard]] bool IsIngress() const noexcept;
};

[[nodiscard]] std::vector<Qdisc> DumpQdiscs(RtnlSocket& socket);

// EEXIST when the link has an ingress or clsact qdisc.
[[nodiscard]] RtnlMessage NewIngressQdisc(int link);
// With every filter on it. ENOENT or EINVAL when the link has none.
[[nodiscard]] RtnlMessage DelIngressQdisc(int link);

}  // namespace vulcan

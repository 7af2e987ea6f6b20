#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "netlink/address.h"
#include "netlink/filter.h"
#include "netlink/link.h"
#include "netlink/qdisc.h"
#include "netlink/route.h"

namespace vulcan {

// Mirrors DumpPlan in lib/native/netlink.ts.
struct DumpPlan {
  // Empty: the namespace of the calling thread.
  std::optional<std::string> netns;
  bool links = false;
  bool addresses = false;
  bool routes = false;
  bool qdiscs = false;
  bool filters = false;
};

struct Dump {
  std::vector<Link> links;
  std::vector<LinkAddress> addresses;
  std::vector<Route> routes;
  std::vector<Qdisc> qdiscs;
  std::vector<Filter> filters;
};

[[nodiscard]] Dump ReadDump(const DumpPlan& plan, const Cancellation& cancellation);

}  // namespace vulcan

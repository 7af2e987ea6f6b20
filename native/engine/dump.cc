#include "engine/dump.h"

#include "engine/namespace_socket.h"

namespace vulcan {
namespace {

std::vector<Filter> DumpFilters(RtnlSocket& socket, const std::vector<Qdisc>& qdiscs) {
  std::vector<Filter> filters;
  for (const Qdisc& qdisc : qdiscs) {
    if (!qdisc.IsIngress()) continue;
    const auto of_link = DumpIngressFilters(socket, qdisc.link);
    filters.insert(filters.end(), of_link.begin(), of_link.end());
  }
  return filters;
}

}  // namespace

Dump ReadDump(const DumpPlan& plan, const Cancellation& cancellation) {
  RtnlSocket socket = OpenRtnlSocket(plan.netns);
  Dump dump;
  if (plan.links) dump.links = DumpLinks(socket);
  cancellation.ThrowIfCancelled();
  if (plan.addresses) dump.addresses = DumpAddresses(socket);
  cancellation.ThrowIfCancelled();
  if (plan.routes) dump.routes = DumpRoutes(socket);
  cancellation.ThrowIfCancelled();
  if (plan.qdiscs || plan.filters) dump.qdiscs = DumpQdiscs(socket);
  if (plan.filters) dump.filters = DumpFilters(socket, dump.qdiscs);
  if (!plan.qdiscs) dump.qdiscs.clear();
  return dump;
}

}  // namespace vulcan

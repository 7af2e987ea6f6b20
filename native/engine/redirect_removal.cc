#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "engine/redirect.h"
#include "netlink/filter.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "netlink/qdisc.h"

namespace vulcan {
namespace {

// What the kernel says when there is nothing to remove: the link or its qdisc is gone, or never was.
bool IsAbsent(const Error& error) noexcept {
  return error.Errnum() == ENODEV || error.Errnum() == ENOENT || error.Errnum() == EINVAL;
}

void Remove(RtnlSocket& socket, const Link& device, RtnlMessage message, std::vector<Error>& failures) {
  try {
    socket.Request(std::move(message));
  } catch (Error& error) {
    if (!IsAbsent(error)) failures.push_back(error.Path(device.name));
  }
}

// Where a device's ingress filters lead; 0 stands for a link that is gone.
std::vector<int> TargetsOf(RtnlSocket& socket, const Link& device) {
  std::vector<int> targets;
  for (const Filter& filter : DumpIngressFilters(socket, device.index)) {
    if (filter.redirect_to) targets.push_back(*filter.redirect_to);
  }
  return targets;
}

bool Contains(const std::vector<int>& targets, int index) {
  return std::find(targets.begin(), targets.end(), index) != targets.end();
}

// The TAPs that the link's filters lead to, or whose filters lead to it: one direction may be gone already.
std::vector<Link> TiedTaps(RtnlSocket& socket, const std::vector<Link>& links, const Link& link) {
  const auto forward = TargetsOf(socket, link);
  std::vector<Link> taps;
  for (const Link& candidate : links) {
    if (candidate.kind != "tun") continue;
    if (Contains(forward, candidate.index) || Contains(TargetsOf(socket, candidate), link.index)) {
      taps.push_back(candidate);
    }
  }
  return taps;
}

// TAPs that were tied to a link which is gone.
std::vector<Link> OrphanedTaps(RtnlSocket& socket, const std::vector<Link>& links) {
  std::vector<Link> taps;
  for (const Link& candidate : links) {
    if (candidate.kind == "tun" && Contains(TargetsOf(socket, candidate), 0)) taps.push_back(candidate);
  }
  return taps;
}

std::vector<Link> TapsWithNames(const std::vector<Link>& links, const std::vector<std::string>& names) {
  std::vector<Link> taps;
  for (const Link& candidate : links) {
    const bool wanted = std::find(names.begin(), names.end(), candidate.name) != names.end();
    if (candidate.kind == "tun" && wanted) taps.push_back(candidate);
  }
  return taps;
}

}  // namespace

std::vector<Error> RemoveRedirect(const std::string& name, const std::vector<std::string>& taps) {
  RtnlSocket socket;
  const auto links = DumpLinks(socket);
  const auto link =
      std::find_if(links.begin(), links.end(), [&](const Link& candidate) { return candidate.name == name; });
  const bool found = link != links.end();

  auto doomed = TapsWithNames(links, taps);
  // Without the link, only names tell its TAPs from those of other links that are gone.
  const auto by_filters = found          ? TiedTaps(socket, links, *link)
                          : taps.empty() ? OrphanedTaps(socket, links)
                                         : std::vector<Link>{};
  doomed.insert(doomed.end(), by_filters.begin(), by_filters.end());

  std::vector<Error> failures;
  if (found) Remove(socket, *link, DelIngressQdisc(link->index), failures);
  // By the filters that lead back to the link, a TAP can still be found should this process end here.
  for (const Link& tap : doomed) Remove(socket, tap, DelLink(tap.index), failures);
  return failures;
}

}  // namespace vulcan

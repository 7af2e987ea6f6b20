#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netlink/rtnl_socket.h"

namespace vulcan {

// All that rtnetlink tells of something, but for what moves by itself: counters, timers, carriers, and what
// the kernel adds for the first carrier. Two are equal only where somebody who looks finds the same.
class Fingerprint {
 public:
  struct Part {
    const char* name;
    std::string bytes;
  };

  explicit Fingerprint(std::vector<Part> parts) : parts_(std::move(parts)) {}

  // The first part in which the other one differs.
  [[nodiscard]] std::optional<std::string> DifferenceTo(const Fingerprint& other) const;

 private:
  std::vector<Part> parts_;
};

// Of what is set in the socket's namespace: addresses, routes, rules, neighbours, qdiscs, and the ingress
// filters of these links.
[[nodiscard]] Fingerprint FingerprintNamespace(RtnlSocket& socket, const std::vector<std::string>& filtered);

// Of all links of the socket's namespace and their settings, and of the features of these.
[[nodiscard]] Fingerprint FingerprintLinks(RtnlSocket& socket, const std::vector<std::string>& featured);

// Of one link, but for its alias, with what it is as a bridge's port, its addresses and features, and of the
// filters at its ingress.
struct LinkPrint {
  Fingerprint fingerprint;
  bool has_alias = false;
};
[[nodiscard]] LinkPrint FingerprintLink(RtnlSocket& socket, int link);

}  // namespace vulcan

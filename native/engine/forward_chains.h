#pragma once

#include <string>
#include <vector>

namespace vulcan {

// Mirrors ForwardChain in lib/native/host.ts.
struct ForwardChain {
  std::string family;
  std::string table;
  std::string chain;
  bool drops;
  bool bridged;
  bool docker_user;
};

// nftables' chains of others on the forward hook of the calling thread's network namespace.
[[nodiscard]] std::vector<ForwardChain> ListForwardChains();

// The old iptables' chain there; none where its table is not in use.
[[nodiscard]] std::vector<ForwardChain> ListLegacyForwardChains();

}  // namespace vulcan

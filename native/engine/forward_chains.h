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
};

// Chains of others on the forward hook of the calling thread's network namespace, the old iptables' included.
[[nodiscard]] std::vector<ForwardChain> ListForwardChains();

}  // namespace vulcan

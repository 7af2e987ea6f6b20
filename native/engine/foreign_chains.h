#pragma once

#include <string>
#include <vector>

namespace vulcan {

// Mirrors ForeignChain in lib/native/host.ts.
struct ForeignChain {
  std::string family;
  std::string table;
  std::string chain;
  // "forward" or "input".
  std::string hook;
  bool drops;
  bool bridged;
  bool docker_user;
};

// nftables' chains of others on the forward and input hooks of the calling thread's network namespace.
[[nodiscard]] std::vector<ForeignChain> ListForeignChains();

// The old iptables' chains there; none where its table is not in use.
[[nodiscard]] std::vector<ForeignChain> ListLegacyForeignChains();

}  // namespace vulcan

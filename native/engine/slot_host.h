#pragma once

#include <optional>

#include "engine/known_ruleset.h"
#include "netlink/rtnl_socket.h"
#include "nft/socket.h"

namespace vulcan {

// What namings and returns of slots share. It must be used by one thread alone.
class SlotHost {
 public:
  [[nodiscard]] RtnlSocket& Links() {
    if (!links_) links_.emplace();
    return *links_;
  }
  [[nodiscard]] nft::Socket& Nft() {
    if (!nft_) nft_.emplace();
    return *nft_;
  }
  [[nodiscard]] KnownRuleset& Ruleset() noexcept { return ruleset_; }

 private:
  std::optional<RtnlSocket> links_;
  std::optional<nft::Socket> nft_;
  KnownRuleset ruleset_;
};

}  // namespace vulcan

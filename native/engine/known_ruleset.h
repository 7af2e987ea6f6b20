#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/firewall_need.h"
#include "engine/guard.h"

namespace vulcan {

// What of the host's ruleset an attachment relies on.
struct Reliance {
  std::optional<firewall::Need> firewall;
  firewall::Entrance entrance;
  // Empty: nothing guards it.
  guard::TableHandles guard;

  friend bool operator==(const Reliance&, const Reliance&) = default;
};

// What the host's ruleset is known to have, in one generation of it: whatever anybody commits begins another,
// and nothing else changes it (net->nft base_seq, net/netfilter/nf_tables_api.c).
class KnownRuleset {
 public:
  [[nodiscard]] bool Has(std::uint32_t generation, const Reliance& reliance) const;
  void Learn(std::uint32_t generation, Reliance reliance);

 private:
  std::uint32_t generation_ = 0;
  std::vector<Reliance> relied_on_;
};

}  // namespace vulcan

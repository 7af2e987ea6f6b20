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
  // Absent: nothing guards it.
  std::optional<guard::TableHandles> guard;

  friend bool operator==(const Reliance&, const Reliance&) = default;
};

// What the host's ruleset is known to have, in one generation of it: whatever anybody commits begins another,
// and nothing else changes it. A commit tells its generation a moment before that takes effect
// (nf_tables_commit, net/netfilter/nf_tables_api.c), so that once found is not known yet.
class KnownRuleset {
 public:
  [[nodiscard]] bool Has(std::uint32_t generation, const Reliance& reliance) const;
  // `generation` was asked for before it was looked.
  void Found(std::uint32_t generation, Reliance reliance);

 private:
  struct Finding {
    Reliance reliance;
    int times = 0;
  };

  std::uint32_t generation_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace vulcan

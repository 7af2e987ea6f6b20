#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace vulcan {

// Docker jumps to it before its own rules, and leaves its rules to others.
constexpr std::string_view kDockerUserChain = "DOCKER-USER";

struct LegacyFilter {
  // Whether chain FORWARD, or INPUT, drops what meets none of its conditions.
  bool forward_drops;
  bool input_drops;
  // Whether there is a chain of that name.
  bool docker_user;
};

// Of the old iptables; nothing when its table `filter` is not in use. IPv4 only. Looking never creates the
// table, and takes /proc/net/ip_tables_names, which only root may read, and CAP_NET_ADMIN.
[[nodiscard]] std::optional<LegacyFilter> ReadLegacyFilter();

// The same of a table's entries as the kernel hands them out: from `chain` on, or, if nothing there decides,
// from the chain's last entry.
[[nodiscard]] bool LegacyRulesDrop(std::vector<std::byte> entries, std::size_t chain, std::size_t last);

// Whether the entries have a user's chain of that name.
[[nodiscard]] bool LegacyRulesHave(std::vector<std::byte> entries, std::string_view chain);

}  // namespace vulcan

#include "engine/foreign_chains_legacy.h"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace vulcan {
namespace {

constexpr int kDrop = -NF_DROP - 1;
constexpr int kAccept = -NF_ACCEPT - 1;
constexpr std::size_t kRuleBytes = sizeof(ipt_entry) + sizeof(xt_standard_target);

// Rules without conditions, each with its verdict, or where it jumps to.
std::vector<std::byte> RulesOf(const std::vector<int>& verdicts) {
  std::vector<std::byte> bytes(verdicts.size() * kRuleBytes);
  std::byte* at = bytes.data();
  for (const int verdict : verdicts) {
    ipt_entry entry{};
    entry.target_offset = sizeof entry;
    entry.next_offset = kRuleBytes;
    xt_standard_target target{};
    target.target.u.user.target_size = sizeof target;
    target.verdict = verdict;
    std::memcpy(at, &entry, sizeof entry);
    std::memcpy(at + sizeof entry, &target, sizeof target);
    at += kRuleBytes;
  }
  return bytes;
}

[[nodiscard]] int JumpTo(std::size_t rule) { return static_cast<int>(rule * kRuleBytes); }

[[nodiscard]] bool Drop(const std::vector<int>& verdicts) {
  return LegacyRulesDrop(RulesOf(verdicts), 0, (verdicts.size() - 1) * kRuleBytes);
}

TEST(LegacyRules, WithoutATargetDecideNothing) {
  std::vector<int> verdicts;
  while (verdicts.size() < 64) verdicts.push_back(JumpTo(verdicts.size() + 1));
  for (const int policy : {kDrop, kAccept}) {
    verdicts.push_back(policy);
    EXPECT_EQ(Drop(verdicts), policy == kDrop);
    verdicts.pop_back();
  }
}

TEST(LegacyRules, AreFollowedOnceHoweverManyJumpThere) {
  constexpr std::size_t kChains = 31;
  constexpr std::size_t kRules = 3;
  // The first chain ends with its policy, each of the others returns; each jumps twice to the next.
  std::vector<int> verdicts;
  for (std::size_t chain = 0; chain < kChains; ++chain) {
    const int jump = chain + 1 < kChains ? JumpTo((chain + 1) * kRules) : XT_RETURN;
    verdicts.insert(verdicts.end(), {jump, jump, chain == 0 ? kDrop : XT_RETURN});
  }
  EXPECT_TRUE(LegacyRulesDrop(RulesOf(verdicts), 0, (kRules - 1) * kRuleBytes));
}

}  // namespace
}  // namespace vulcan

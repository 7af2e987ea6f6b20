#include "engine/known_ruleset.h"

#include <gtest/gtest.h>

namespace vulcan {
namespace {

const Reliance on_bridge{firewall::Need{7, "net"}, "br0", {1, 2}};

TEST(KnownRulesetTest, HasNothingAtFirst) { EXPECT_FALSE(KnownRuleset().Has(0, on_bridge)); }

TEST(KnownRulesetTest, HasWhatWasLearntUntilItIsChanged) {
  KnownRuleset ruleset;
  ruleset.Learn(3, on_bridge);
  EXPECT_TRUE(ruleset.Has(3, on_bridge));
  EXPECT_FALSE(ruleset.Has(4, on_bridge));
}

TEST(KnownRulesetTest, HasAllOfOneGeneration) {
  KnownRuleset ruleset;
  const Reliance on_another{on_bridge.firewall, "br1", on_bridge.guard};
  ruleset.Learn(3, on_bridge);
  ruleset.Learn(3, on_another);
  EXPECT_TRUE(ruleset.Has(3, on_bridge));
  EXPECT_TRUE(ruleset.Has(3, on_another));
}

TEST(KnownRulesetTest, ForgetsWhatWasBefore) {
  KnownRuleset ruleset;
  ruleset.Learn(3, on_bridge);
  ruleset.Learn(4, {std::nullopt, std::uint32_t{118}, {}});
  EXPECT_FALSE(ruleset.Has(3, on_bridge));
  EXPECT_FALSE(ruleset.Has(4, on_bridge));
}

TEST(KnownRulesetTest, TellsApartWhateverIsReliedOn) {
  KnownRuleset ruleset;
  ruleset.Learn(3, on_bridge);
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{8, "net"}, "br0", {1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "other"}, "br0", {1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "net"}, "br1", {1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "net"}, "br0", {1, 3}}));
  EXPECT_FALSE(ruleset.Has(3, {std::nullopt, "br0", {1, 2}}));
}

}  // namespace
}  // namespace vulcan

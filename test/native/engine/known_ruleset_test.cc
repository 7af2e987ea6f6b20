#include "engine/known_ruleset.h"

#include <gtest/gtest.h>

namespace vulcan {
namespace {

const Reliance on_bridge{firewall::Need{7, "net"}, "br0", guard::TableHandles{1, 2}};

void FindTwice(KnownRuleset& ruleset, std::uint32_t generation, const Reliance& reliance) {
  ruleset.Found(generation, reliance);
  ruleset.Found(generation, reliance);
}

TEST(KnownRulesetTest, HasNothingAtFirst) { EXPECT_FALSE(KnownRuleset().Has(0, on_bridge)); }

TEST(KnownRulesetTest, HasWhatWasFoundTwice) {
  KnownRuleset ruleset;
  ruleset.Found(3, on_bridge);
  EXPECT_FALSE(ruleset.Has(3, on_bridge));
  ruleset.Found(3, on_bridge);
  EXPECT_TRUE(ruleset.Has(3, on_bridge));
}

TEST(KnownRulesetTest, HasNothingOnceItIsChanged) {
  KnownRuleset ruleset;
  FindTwice(ruleset, 3, on_bridge);
  EXPECT_FALSE(ruleset.Has(4, on_bridge));
}

TEST(KnownRulesetTest, HasAllOfOneGeneration) {
  KnownRuleset ruleset;
  const Reliance on_another{on_bridge.firewall, "br1", on_bridge.guard};
  FindTwice(ruleset, 3, on_bridge);
  FindTwice(ruleset, 3, on_another);
  EXPECT_TRUE(ruleset.Has(3, on_bridge));
  EXPECT_TRUE(ruleset.Has(3, on_another));
}

TEST(KnownRulesetTest, CountsNothingOfAnotherGeneration) {
  KnownRuleset ruleset;
  ruleset.Found(3, on_bridge);
  ruleset.Found(4, on_bridge);
  EXPECT_FALSE(ruleset.Has(4, on_bridge));
  ruleset.Found(3, on_bridge);
  EXPECT_FALSE(ruleset.Has(3, on_bridge));
}

TEST(KnownRulesetTest, TellsApartWhateverIsReliedOn) {
  KnownRuleset ruleset;
  FindTwice(ruleset, 3, on_bridge);
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{8, "net"}, "br0", guard::TableHandles{1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "other"}, "br0", guard::TableHandles{1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "net"}, "br1", guard::TableHandles{1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "net"}, std::uint32_t{118}, guard::TableHandles{1, 2}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "net"}, "br0", guard::TableHandles{1, 3}}));
  EXPECT_FALSE(ruleset.Has(3, {firewall::Need{7, "net"}, "br0", std::nullopt}));
  EXPECT_FALSE(ruleset.Has(3, {std::nullopt, "br0", guard::TableHandles{1, 2}}));
}

}  // namespace
}  // namespace vulcan

#include "engine/freeing_links.h"

#include <gtest/gtest.h>

#include "base/cancellation.h"
#include "engine/slot.h"

namespace vulcan {
namespace {

constexpr int kMany = 33;

TEST(FreeingLinksTest, AreManyWhileTheyAreThere) {
  FreeingLinks links;
  for (int i = 1; i < kMany; ++i) links.Add("lo");
  EXPECT_FALSE(links.AreMany());
  links.Add("lo");
  EXPECT_TRUE(links.AreMany());
  EXPECT_TRUE(links.AreMany());
}

TEST(FreeingLinksTest, AreNotManyOnceTheyHaveGone) {
  FreeingLinks links;
  for (int i = 0; i < kMany; ++i) links.Add("vn-gone");
  EXPECT_FALSE(links.AreMany());
}

TEST(FreeingLinksTest, KeepASlotFromBeingBuilt) {
  AttachmentHost host;
  for (int i = 0; i < kMany; ++i) host.Freeing().Add("lo");
  FillSlot fill({}, host);
  const Cancellation never;
  for (int i = 0; i < 3; ++i) {
    const auto before = Clock::now();
    const auto progress = fill.Step(never);
    ASSERT_TRUE(progress.wait);
    EXPECT_GT(progress.wait->until, before);
  }
}

}  // namespace
}  // namespace vulcan

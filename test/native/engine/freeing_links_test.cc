#include "engine/freeing_links.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/cancellation.h"
#include "engine/slot.h"

namespace vulcan {
namespace {

constexpr int kLinks = 33;
// However long a test is kept from looking.
constexpr std::chrono::hours kForever{1};

TEST(FreeingLinksTest, AreManyWhileTheyAreThere) {
  FreeingLinks links(kForever);
  for (int i = 1; i < kLinks; ++i) links.Add("lo");
  EXPECT_FALSE(links.AreMany());
  links.Add("lo");
  EXPECT_TRUE(links.AreMany());
  EXPECT_TRUE(links.AreMany());
}

TEST(FreeingLinksTest, AreNotManyOnceTheyHaveGone) {
  FreeingLinks links(kForever);
  for (int i = 0; i < kLinks; ++i) links.Add("vn-gone");
  EXPECT_FALSE(links.AreMany());
}

TEST(FreeingLinksTest, AreManyHoweverManyHaveGoneAmongThem) {
  FreeingLinks links(kForever);
  for (int i = 0; i < kLinks; ++i) {
    links.Add("vn-gone");
    if (i > 0) links.Add("lo");
  }
  EXPECT_FALSE(links.AreMany());
  links.Add("vn-gone");
  links.Add("lo");
  EXPECT_TRUE(links.AreMany());
  for (int i = 0; i < kLinks; ++i) links.Add("lo");
  EXPECT_TRUE(links.AreMany());
}

TEST(FreeingLinksTest, AreSomebodysOnceTheyStayTooLong) {
  FreeingLinks links(std::chrono::nanoseconds(-1));
  for (int i = 0; i < kLinks; ++i) links.Add("lo");
  EXPECT_FALSE(links.AreMany());
}

TEST(FreeingLinksTest, KeepASlotFromBeingBuilt) {
  AttachmentHost host;
  host.Freeing() = FreeingLinks(kForever);
  for (int i = 0; i < kLinks; ++i) host.Freeing().Add("lo");
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

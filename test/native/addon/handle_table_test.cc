#include "addon/handle_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

namespace vulcan::addon {
namespace {

TEST(HandleTable, GivesWhatItIsGivenUntilThatIsTaken) {
  HandleTable<int> table;
  const std::uint32_t one = table.Add(1);
  const std::uint32_t two = table.Add(2);
  EXPECT_NE(one, two);
  EXPECT_EQ(*table.Get(one), 1);
  EXPECT_EQ(*table.Take(two), 2);
  EXPECT_EQ(table.Get(two), nullptr);
  EXPECT_EQ(table.Take(two), nullptr);
  EXPECT_EQ(*table.Get(one), 1);
}

TEST(HandleTable, KnowsNoNumberThatItHasNotGiven) {
  HandleTable<int> table;
  EXPECT_EQ(table.Get(0), nullptr);
  EXPECT_EQ(table.Take(table.Add(1) + 1), nullptr);
}

TEST(HandleTable, SharesWhatIsTakenWithWhoeverStillWorksWithIt) {
  HandleTable<std::unique_ptr<int>> table;
  const std::uint32_t handle = table.Add(std::make_unique<int>(7));
  const auto work = table.Get(handle);
  static_cast<void>(table.Take(handle));
  EXPECT_EQ(**work, 7);
  EXPECT_EQ(work.use_count(), 1);
}

}  // namespace
}  // namespace vulcan::addon

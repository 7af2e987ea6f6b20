#include "base/wait.h"

#include <gtest/gtest.h>

namespace vulcan {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(PollTimeoutMs, IsForeverWithoutATime) { EXPECT_EQ(PollTimeoutMs(Clock::time_point::max()), -1); }

TEST(PollTimeoutMs, IsZeroForThePast) { EXPECT_EQ(PollTimeoutMs(Clock::now() - hours(1)), 0); }

TEST(PollTimeoutMs, NeverRoundsToTooEarly) {
  const auto until = Clock::now() + microseconds(1'900'100);
  const milliseconds timeout(PollTimeoutMs(until));
  EXPECT_GE(timeout, until - Clock::now());
  EXPECT_LE(timeout, milliseconds(1'901));
}

TEST(PollTimeoutMs, FitsAnIntForAnyTime) {
  EXPECT_GT(PollTimeoutMs(Clock::now() + hours(24 * 365 * 100)), 0);
}

}  // namespace
}  // namespace vulcan

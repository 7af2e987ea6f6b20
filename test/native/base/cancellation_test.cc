#include "base/cancellation.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <thread>

namespace vulcan {
namespace {

[[nodiscard]] bool IsReadable(int fd, int timeout_ms) {
  pollfd polled{fd, POLLIN, 0};
  return ::poll(&polled, 1, timeout_ms) == 1;
}

TEST(Cancellation, ThrowsOnceCancelled) {
  Cancellation cancellation;
  EXPECT_NO_THROW(cancellation.ThrowIfCancelled());
  cancellation.Cancel();
  try {
    cancellation.ThrowIfCancelled();
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.Errnum(), ECANCELED);
  }
}

TEST(Cancellation, IsPollableBeforeAndAfter) {
  Cancellation before;
  const int fd = before.Fd();
  EXPECT_FALSE(IsReadable(fd, 0));
  before.Cancel();
  EXPECT_TRUE(IsReadable(fd, 0));
  EXPECT_EQ(before.Fd(), fd);

  Cancellation after;
  after.Cancel();
  EXPECT_TRUE(IsReadable(after.Fd(), 0));
}

TEST(Cancellation, MayBeCancelledTwice) {
  Cancellation cancellation;
  const int fd = cancellation.Fd();
  cancellation.Cancel();
  cancellation.Cancel();
  EXPECT_TRUE(IsReadable(fd, 0));
}

TEST(Cancellation, IsNeverMissedByAThreadThatBeginsToWait) {
  constexpr int kRounds = 500;
  constexpr int kLongMs = 10'000;
  for (int i = 0; i < kRounds; ++i) {
    Cancellation cancellation;
    std::thread canceller([&cancellation] { cancellation.Cancel(); });
    const bool noticed = IsReadable(cancellation.Fd(), kLongMs);
    canceller.join();
    ASSERT_TRUE(noticed) << "round " << i;
  }
}

}  // namespace
}  // namespace vulcan

#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace vulcan {
namespace {

static_assert(!std::is_copy_constructible_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);

[[nodiscard]] bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

[[nodiscard]] UniqueFd OpenAny() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(UniqueFd, OwnsNothingByDefault) {
  const UniqueFd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.Get(), -1);
}

TEST(UniqueFd, ClosesWhenDestroyed) {
  int number = -1;
  {
    const UniqueFd fd = OpenAny();
    number = fd.Get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueFd, MovesWithoutClosing) {
  UniqueFd from = OpenAny();
  const int number = from.Get();
  UniqueFd to = std::move(from);
  EXPECT_EQ(to.Get(), number);
  EXPECT_TRUE(IsOpen(number));

  UniqueFd other = OpenAny();
  const int closed = other.Get();
  other = std::move(to);
  EXPECT_EQ(other.Get(), number);
  EXPECT_FALSE(IsOpen(closed));
}

TEST(UniqueFd, KeepsItsDescriptorWhenMovedToItself) {
  UniqueFd fd = OpenAny();
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(IsOpen(fd.Get()));
}

TEST(UniqueFd, ReleasesToTheCaller) {
  UniqueFd fd = OpenAny();
  const int number = fd.Release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(IsOpen(number));
  ::close(number);
}

}  // namespace
}  // namespace vulcan

#include "sys/unnaming.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "sys/anchor.h"
#include "sys/anchor_name.h"
#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

// Needs CAP_SYS_ADMIN.
class AnUnnaming : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root mounts";
    static_cast<void>(CreateAnchor(temporary_ / "netns", "vm", *lock_, "", never_));
  }
  void TearDown() override {
    ::umount2((temporary_ / "netns/vm").c_str(), MNT_DETACH);
    ::umount2((temporary_ / "netns").c_str(), MNT_DETACH);
  }

  [[nodiscard]] Unnaming Begin() { return {temporary_ / "netns", "vm", *lock_, unmounter_}; }
  [[nodiscard]] AnchorState State() { return GetAnchorState(temporary_ / "netns", "vm", &*lock_); }

  static void End(Unnaming& unnaming) {
    while (auto wait = unnaming.TryEnd()) {
      ::poll(wait->fds.data(), wait->fds.size(), PollTimeoutMs(wait->until));
    }
  }

  Cancellation never_;
  TemporaryDirectory temporary_;
  Directory directory_ = Directory::Open(temporary_.Path());
  std::optional<Lock> lock_ = Lock::TryAcquire(directory_, "vm", LockMode::kExclusive);
  Unmounter unmounter_;
};

TEST_F(AnUnnaming, TakesTheNameAndTheClaimAndKeepsTheNamespace) {
  const NamespaceId id = State().id;
  Unnaming unnaming = Begin();
  End(unnaming);
  EXPECT_EQ(State().kind, AnchorKind::kAbsent);
  EXPECT_TRUE(lock_->ReadClaim().IsEmpty());
  EXPECT_EQ(IdOfNamespace(unnaming.TakeNamespace().Get()), id);
}

TEST_F(AnUnnaming, IsUndoneAtOnceAndAfterItsEnd) {
  const NamespaceId id = State().id;
  Unnaming first = Begin();
  first.Undo();
  EXPECT_EQ(State().id, id);
  Unnaming second = Begin();
  End(second);
  second.Undo();
  EXPECT_EQ(State().kind, AnchorKind::kNamespace);
  EXPECT_EQ(State().id, id);
  EXPECT_TRUE(State().claimed);
}

TEST_F(AnUnnaming, TouchesNothingThatWasNotMadeUnderTheLock) {
  lock_->WriteClaim({NamespaceId{1, 1}, ""});
  EXPECT_TRUE(Throws(EEXIST, Reason::kForeign, [this] { static_cast<void>(Begin()); }));
  EXPECT_EQ(State().kind, AnchorKind::kNamespace);
}

TEST_F(AnUnnaming, FailsWhereSomethingElseIsMountedBelow) {
  const std::string path = temporary_ / "netns/vm";
  const UniqueFd ns = OpenNamespace(path);
  ASSERT_EQ(::mount(path.c_str(), path.c_str(), "none", MS_BIND, nullptr), 0);
  Unnaming unnaming = Begin();
  EXPECT_TRUE(Throws(EBUSY, [&unnaming] { End(unnaming); }));
  EXPECT_EQ(State().kind, AnchorKind::kNamespace);
}

TEST(AnUnmount, TellsWhatTheKernelRefuses) {
  const TemporaryDirectory temporary;
  Unmounter unmounter;
  const auto unmount =
      unmounter.Begin(UniqueFd(::open(temporary.Path().c_str(), O_PATH | O_CLOEXEC)), temporary.Path());
  EXPECT_FALSE(unmount->AwaitEnd());
  const int expected = ::geteuid() == 0 ? EINVAL : EPERM;
  EXPECT_TRUE(Throws(expected, [&unmount] { static_cast<void>(unmount->HasEnded()); }));
}

TEST(AnUnmount, IsNotLeftOutWhenItsThreadEnds) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts";
  const TemporaryDirectory temporary;
  const std::string names = "abcde";
  {
    Unmounter unmounter;
    for (const char name : names) {
      const std::string path = temporary / std::string(1, name);
      std::filesystem::create_directory(path);
      ASSERT_EQ(::mount(path.c_str(), path.c_str(), "none", MS_BIND, nullptr), 0);
      static_cast<void>(unmounter.Begin(UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)), path));
    }
  }
  // A mount point stays where it is (EBUSY).
  for (const char name : names) EXPECT_TRUE(std::filesystem::remove(temporary / std::string(1, name)));
}

}  // namespace
}  // namespace vulcan

#include "sys/lock.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>
#include <vector>

#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class LockTest : public testing::Test {
 protected:
  [[nodiscard]] std::optional<Lock> Try(LockMode mode) { return Lock::TryAcquire(directory_, "vm", mode); }

  TemporaryDirectory temporary_;
  Directory directory_ = Directory::Open(temporary_.Path());
};

TEST_F(LockTest, IsHeldByOne) {
  auto first = Try(LockMode::kExclusive);
  ASSERT_TRUE(first);
  EXPECT_FALSE(Try(LockMode::kExclusive));
  EXPECT_FALSE(Try(LockMode::kShared));
  first.reset();
  EXPECT_TRUE(Try(LockMode::kExclusive));
}

TEST_F(LockTest, IsReleasedForWhomeverAChildHasLeftBehind) {
  auto lock = Try(LockMode::kExclusive);
  const UniqueFd inherited(::dup(lock->Lend()));
  lock.reset();
  EXPECT_TRUE(Try(LockMode::kExclusive));
}

TEST_F(LockTest, EndsWithTheLastChildThatItIsLeftTo) {
  auto lock = Try(LockMode::kExclusive);
  UniqueFd inherited(::dup(lock->Lend()));
  lock->LeaveToChildren();
  lock.reset();
  EXPECT_FALSE(Try(LockMode::kExclusive));
  inherited.Reset();
  EXPECT_TRUE(Try(LockMode::kExclusive));
}

TEST_F(LockTest, IsSharedByMany) {
  const auto first = Try(LockMode::kShared);
  const auto second = Try(LockMode::kShared);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Try(LockMode::kExclusive));
}

TEST_F(LockTest, RemovesItsFileUnderTheLock) {
  auto lock = Try(LockMode::kExclusive);
  lock->RemoveFile();
  EXPECT_TRUE(directory_.Names().empty());
  EXPECT_TRUE(Try(LockMode::kExclusive)) << "the name is free, although the old file is still locked";
}

TEST_F(LockTest, LeavesTheFileOfWhoeverCameAfterARemoval) {
  auto stale = Try(LockMode::kExclusive);
  fs::remove(temporary_ / "vm");
  const auto current = Try(LockMode::kExclusive);
  ASSERT_TRUE(current);
  stale->RemoveFile();
  EXPECT_TRUE(fs::exists(temporary_ / "vm"));
}

// Whoever opened the file before its removal locks what no name leads to any more, so all must begin anew.
TEST_F(LockTest, IsHeldByOneWhileTheFileIsRemovedAgainAndAgain) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        auto lock = Lock::TryAcquire(directory_, "vm", LockMode::kExclusive);
        if (!lock) continue;
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --inside;
        lock->RemoveFile();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most.load(), 1);
}

TEST_F(LockTest, KnowsWhetherAnybodyHasLeftIt) {
  EXPECT_TRUE(Try(LockMode::kExclusive)->IsNew());
  EXPECT_FALSE(Try(LockMode::kExclusive)->IsNew());
}

TEST_F(LockTest, IsTheSameWhateverWasLikely) {
  for (const LockFile likely : {LockFile::kPresent, LockFile::kAbsent}) {
    fs::remove(temporary_ / "vm");
    EXPECT_TRUE(Lock::TryAcquire(directory_, "vm", LockMode::kExclusive, likely)->IsNew());
    EXPECT_FALSE(Lock::TryAcquire(directory_, "vm", LockMode::kExclusive, likely)->IsNew());
  }
}

TEST_F(LockTest, KnowsTheClaimThatAnotherHolderHasWritten) {
  const Claim claim{NamespaceId{4, 4'026'532'247}, {}};
  Try(LockMode::kExclusive)->WriteClaim(claim);
  EXPECT_EQ(Try(LockMode::kExclusive)->ReadClaim(), claim);
  Try(LockMode::kExclusive)->WriteClaim({NamespaceId{4, 1}, {}});
  std::ifstream file(temporary_ / "vm");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "4:1\n") << "nothing of the longer";
}

TEST_F(LockTest, CarriesAClaim) {
  auto lock = Try(LockMode::kExclusive);
  EXPECT_EQ(lock->ReadClaim(), Claim{});
  lock->WriteClaim({NamespaceId{4, 4'026'532'247}, {}});
  EXPECT_EQ(lock->ReadClaim(), (Claim{NamespaceId{4, 4'026'532'247}, {}}));
  std::string text;
  std::getline(std::ifstream(temporary_ / "vm"), text);
  EXPECT_EQ(text, "4:4026532247");
  lock->WriteClaim({NamespaceId{4, 1}, {}});
  EXPECT_EQ(lock->ReadClaim(), (Claim{NamespaceId{4, 1}, {}}))
      << "a shorter one leaves nothing of the longer";
  lock->WriteClaim({});
  EXPECT_EQ(fs::file_size(temporary_ / "vm"), 0U);
}

TEST_F(LockTest, CarriesWhoseTheAttachmentIs) {
  auto lock = Try(LockMode::kExclusive);
  for (const Claim& claim : {Claim{std::nullopt, "c-1"}, Claim{NamespaceId{4, 4'026'532'247}, "c-1"},
                             Claim{std::nullopt, "c-1"}, Claim{NamespaceId{4, 1}, {}}}) {
    lock->WriteClaim(claim);
    EXPECT_EQ(lock->ReadClaim(), claim);
    EXPECT_EQ(ReadClaims(temporary_.Path()), (Claims{{"vm", claim}}));
  }
}

TEST_F(LockTest, NeverLosesTheContainerInTheMidstOfAWrite) {
  // What a process leaves that is killed before it has cut the longer text off.
  std::ofstream(temporary_ / "vm") << "\nc-1\n26532247\nc-1\n";
  EXPECT_EQ(Try(LockMode::kExclusive)->ReadClaim(), (Claim{std::nullopt, "c-1"}));
}

TEST_F(LockTest, TakesNoGarbageForAClaim) {
  std::ofstream(temporary_ / "vm") << "hello\n";
  EXPECT_EQ(Try(LockMode::kExclusive)->ReadClaim(), Claim{});
}

TEST_F(LockTest, IsARegularFile) {
  fs::create_symlink("elsewhere", temporary_ / "vm");
  EXPECT_TRUE(Throws(ELOOP, [&] { static_cast<void>(Try(LockMode::kExclusive)); }));
  EXPECT_FALSE(fs::exists(temporary_ / "elsewhere"));
  fs::remove(temporary_ / "vm");
  ASSERT_EQ(::mkfifo((temporary_ / "vm").c_str(), 0600), 0);
  EXPECT_TRUE(Throws(EINVAL, [&] { static_cast<void>(Try(LockMode::kExclusive)); }));
}

TEST_F(LockTest, RequestWaitsUntilItsDeadline) {
  const auto held = Try(LockMode::kExclusive);
  const Cancellation cancellation;
  LockRequest patient(temporary_.Path(), "vm", LockMode::kExclusive, milliseconds(60'000));
  EXPECT_TRUE(patient.Try(cancellation).wait.has_value());
  LockRequest hasty(temporary_.Path(), "vm", LockMode::kExclusive, milliseconds(0));
  EXPECT_TRUE(Throws(ETIMEDOUT, Reason::kLockHeld, [&] { static_cast<void>(hasty.Try(cancellation)); }));
}

TEST_F(LockTest, RequestIsGrantedWhenTheLockIsFree) {
  auto held = Try(LockMode::kExclusive);
  const Cancellation cancellation;
  LockRequest request(temporary_.Path(), "vm", LockMode::kExclusive, milliseconds(60'000));
  EXPECT_TRUE(request.Try(cancellation).wait.has_value());
  held.reset();
  EXPECT_TRUE(request.Try(cancellation).result.has_value());
}

TEST_F(LockTest, RequestEndsWhenItIsCancelled) {
  const auto held = Try(LockMode::kExclusive);
  Cancellation cancellation;
  LockRequest request(temporary_.Path(), "vm", LockMode::kExclusive, milliseconds(60'000));
  const auto wait = *request.Try(cancellation).wait;
  cancellation.Cancel();
  ASSERT_EQ(wait.fds.size(), 1U);
  pollfd polled = wait.fds[0];
  EXPECT_EQ(::poll(&polled, 1, 0), 1) << "what it waits for wakes it";
  EXPECT_TRUE(Throws(ECANCELED, [&] { static_cast<void>(request.Try(cancellation)); }));
}

TEST_F(LockTest, WhoeverWaitsForItAloneComesBeforeThoseWhoWouldShareIt) {
  const Cancellation cancellation;
  auto held = Try(LockMode::kShared);
  std::optional<LockRequest> request(std::in_place, temporary_.Path(), "vm", LockMode::kExclusive,
                                     milliseconds(60'000));
  EXPECT_TRUE(request->Try(cancellation).wait.has_value());
  EXPECT_FALSE(Try(LockMode::kShared));
  held.reset();
  EXPECT_FALSE(Try(LockMode::kShared));
  EXPECT_TRUE(request->Try(cancellation).result.has_value()) << "it has its turn";
  EXPECT_TRUE(Try(LockMode::kShared));
  held = Try(LockMode::kShared);
  EXPECT_TRUE(request->Try(cancellation).wait.has_value());
  request.reset();
  EXPECT_TRUE(Try(LockMode::kShared)) << "nobody waits any more";
}

}  // namespace
}  // namespace vulcan

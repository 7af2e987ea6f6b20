#include "sys/holders.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "no_more_files.h"
#include "sys/netns.h"
#include "throws.h"

namespace vulcan {
namespace {

TEST(InhabitedNamespaces, HaveOwn) {
  const InhabitedNamespaces inhabited = ReadInhabitedNamespaces({});
  EXPECT_TRUE(inhabited.inodes.contains(IdOfNamespace(OpenCurrentNamespace().Get()).inode));
}

// What a process that forks without end shares with the test.
struct Forker {
  std::atomic<std::uint64_t> inode{0};
  std::atomic<bool> stopped{false};

  // One generation after the other, each for as long as a fork takes, which may fail at first.
  [[noreturn]] void Run() {
    if (::unshare(CLONE_NEWNET) == 0) inode = IdOfNamespace(OpenCurrentNamespace().Get()).inode;
    while (inode != 0 && !stopped) {
      if (::fork() > 0) break;
    }
    ::_exit(0);
  }
};

TEST(InhabitedNamespaces, HaveWhoForksMeanwhile) {
  constexpr int kReadings = 50;
  void* const memory =
      ::mmap(nullptr, sizeof(Forker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* const forker = std::construct_at(static_cast<Forker*>(memory));
  const pid_t first = ::fork();
  ASSERT_GE(first, 0);
  if (first == 0) forker->Run();
  ASSERT_EQ(::waitpid(first, nullptr, 0), first);
  ASSERT_NE(forker->inode, 0U);
  for (int i = 0; i < kReadings; ++i) {
    const InhabitedNamespaces inhabited = ReadInhabitedNamespaces({});
    EXPECT_TRUE(inhabited.inodes.contains(forker->inode) || inhabited.unread != 0) << i;
    // One that ends while it is looked at is none that must not be.
    EXPECT_NE(inhabited.unread, EACCES) << i;
  }
  forker->stopped = true;
}

TEST(InhabitedNamespaces, SayWhyTheyAreNotAll) {
  const NoMoreFiles no_more;
  const InhabitedNamespaces inhabited = ReadInhabitedNamespaces({});
  EXPECT_EQ(inhabited.unread, EMFILE);
}

TEST(Holders, AreNotTakenForNobodyForWantOfDescriptors) {
  UniqueFd held;
  RunInNewNamespace([&] { held = OpenCurrentNamespace(); });
  const NamespaceId id = IdOfNamespace(held.Get());
  const NoMoreFiles no_more;
  EXPECT_TRUE(Throws(EMFILE, [&] { static_cast<void>(FindHolders({id}, {})); }));
  EXPECT_TRUE(Throws(EMFILE, [&] { static_cast<void>(OpenHeldNamespace(id, {})); }));
}

TEST(Holders, AreNoneThatHaveEndedAndAreNotWaitedFor) {
  const UniqueFd current = OpenCurrentNamespace();
  const pid_t ended = ::fork();
  ASSERT_GE(ended, 0);
  if (ended == 0) ::_exit(0);
  siginfo_t status{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(ended), &status, WEXITED | WNOWAIT), 0);
  const auto holders = FindHolders({IdOfNamespace(current.Get())}, {});
  EXPECT_TRUE(std::ranges::none_of(holders[0], [ended](const auto& each) { return each.pid == ended; }));
  ASSERT_EQ(::waitpid(ended, nullptr, 0), ended);
}

TEST(Holders, AreFoundOfEachNamespace) {
  const UniqueFd current = OpenCurrentNamespace();
  UniqueFd other;
  RunInNewNamespace([&] { other = OpenCurrentNamespace(); });
  const NamespaceId own = IdOfNamespace(current.Get());
  const NamespaceId held = IdOfNamespace(other.Get());
  const auto holders = FindHolders({held, {held.device, 1}, own, held}, {});
  ASSERT_EQ(holders.size(), 4U);
  const auto its = [&](std::size_t place, HoldVia via) {
    return std::ranges::count_if(holders[place], [via](const NamespaceHolder& each) {
      return each.pid == ::getpid() && each.via == via;
    });
  };
  EXPECT_EQ(its(0, HoldVia::kFd), 1);
  EXPECT_EQ(its(0, HoldVia::kMember), 0);
  EXPECT_TRUE(holders[1].empty());
  EXPECT_EQ(its(2, HoldVia::kMember), 1);
  EXPECT_EQ(its(3, HoldVia::kFd), 1);
}

}  // namespace
}  // namespace vulcan

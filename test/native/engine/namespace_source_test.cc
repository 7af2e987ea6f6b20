#include "engine/namespace_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <optional>
#include <thread>

#include "no_more_files.h"
#include "sys/netns.h"
#include "throws.h"

namespace vulcan {
namespace {

// Needs CAP_SYS_ADMIN.
class Namespaces : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root makes namespaces";
  }

  const TapPlan tap_{"tap0", {1000, 1001}};
  NamespaceSource source_;
};

TEST_F(Namespaces, AreNewEachTimeAndNotOurs) {
  const NewNamespace first = source_.Take(tap_);
  const NewNamespace second = source_.Take(tap_);
  const NamespaceId own = IdOfNamespace(OpenCurrentNamespace().Get());
  EXPECT_NE(IdOfNamespace(first.fd.Get()), IdOfNamespace(second.fd.Get()));
  EXPECT_NE(IdOfNamespace(first.fd.Get()), own);
  EXPECT_EQ(first.links.IndexOf("lo"), 1);
}

TEST_F(Namespaces, HaveATapOnceTwoHaveWantedTheSame) {
  const NewNamespace first = source_.Take(tap_);
  EXPECT_FALSE(first.tap);
  EXPECT_TRUE(first.tun);
  const NewNamespace second = source_.Take(tap_);
  ASSERT_TRUE(second.tap);
  EXPECT_EQ(second.tap->Name(), "tap0");
  EXPECT_EQ(second.tap->Owner(), tap_.owner);
  EXPECT_TRUE(second.links.IndexOf("tap0"));
}

TEST_F(Namespaces, NeverHaveATapOfAnotherName) {
  const TapPlan other{"vm1", tap_.owner};
  static_cast<void>(source_.Take(tap_));
  source_.Begin(tap_);
  const NewNamespace taken = source_.Take(other);
  EXPECT_FALSE(taken.links.IndexOf("tap0"));
  EXPECT_TRUE(!taken.tap || taken.tap->Name() == "vm1");
}

TEST_F(Namespaces, LoseTheTapThatNobodyMakesPersist) {
  static_cast<void>(source_.Take(tap_));
  NewNamespace taken = source_.Take(tap_);
  ASSERT_TRUE(taken.tap);
  taken.tap.reset();
  EXPECT_FALSE(taken.links.IndexOf("tap0"));
}

TEST_F(Namespaces, OneThatWasBegunIsTheOneThatIsTaken) {
  source_.Begin(tap_);
  source_.Begin(tap_);
  EXPECT_TRUE(source_.Take(tap_).fd);
}

[[nodiscard]] std::ptrdiff_t CountOpenFiles() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST_F(Namespaces, OneThatNobodyTakesEndsWithItsSource) {
  const auto before = CountOpenFiles();
  for (int i = 0; i < 20; ++i) {
    NamespaceSource source;
    source.Begin(tap_);
  }
  EXPECT_EQ(CountOpenFiles(), before);
}

TEST_F(Namespaces, WhatFailedAheadIsTriedAgain) {
  // UBSan looks at an object's type by a pipe, for which there is no room below.
  NamespaceSource& source = source_;
  // The thread is there, and has room for its way home.
  static_cast<void>(source.Take(tap_));
  // A busy host may have it begin only once the limit is lifted, but not each time.
  for (int i = 0; i < 5; ++i) {
    std::optional<NoMoreFiles> no_more(std::in_place);
    source.Begin(tap_);
    const auto fails = [&] { return Throws(EMFILE, [&] { static_cast<void>(source.Take(tap_)); }); };
    // The one after the first may have been made while there was room.
    EXPECT_TRUE(fails() || fails());
    source.Begin(tap_);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    no_more.reset();
    EXPECT_TRUE(source.Take(tap_).fd);
  }
}

TEST_F(Namespaces, AThreadThatCannotBeStartedIsToldOf) {
  NamespaceSource& source = source_;
  const NoMoreFiles no_more;
  source.Begin(tap_);
  EXPECT_TRUE(Throws(EMFILE, [&] { static_cast<void>(source.Take(tap_)); }));
}

}  // namespace
}  // namespace vulcan

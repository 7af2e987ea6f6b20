#include "engine/namespace_source.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

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

  NamespaceSource source_;
};

// No more descriptors than there are, while it lives.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{3, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Namespaces, AreNewEachTimeAndNotOurs) {
  const NewNamespace first = source_.Take();
  const NewNamespace second = source_.Take();
  const NamespaceId own = IdOfNamespace(OpenCurrentNamespace().Get());
  EXPECT_NE(IdOfNamespace(first.fd.Get()), IdOfNamespace(second.fd.Get()));
  EXPECT_NE(IdOfNamespace(first.fd.Get()), own);
  EXPECT_EQ(first.links.IndexOf("lo"), 1);
  EXPECT_TRUE(first.tun);
}

TEST_F(Namespaces, OneThatWasBegunIsTheOneThatIsTaken) {
  source_.Begin();
  source_.Begin();
  EXPECT_TRUE(source_.Take().fd);
}

TEST_F(Namespaces, OneThatNobodyTakesEndsWithItsSource) {
  for (int i = 0; i < 20; ++i) {
    NamespaceSource source;
    source.Begin();
  }
}

TEST_F(Namespaces, WhatFailedAheadIsTriedAgain) {
  // UBSan looks at an object's type by a pipe, for which there is no room below.
  NamespaceSource& source = source_;
  // The thread is there, and has room for its way home.
  static_cast<void>(source.Take());
  {
    const NoMoreFiles no_more;
    source.Begin();
    const auto fails = [&] { return Throws(EMFILE, [&] { static_cast<void>(source.Take()); }); };
    // The one after the first may have been made while there was room.
    EXPECT_TRUE(fails() || fails());
    source.Begin();
    // It fails before the limit is lifted.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(source_.Take().fd);
}

TEST_F(Namespaces, AThreadThatCannotBeStartedIsToldOf) {
  NamespaceSource& source = source_;
  const NoMoreFiles no_more;
  source.Begin();
  EXPECT_TRUE(Throws(EMFILE, [&] { static_cast<void>(source.Take()); }));
}

}  // namespace
}  // namespace vulcan

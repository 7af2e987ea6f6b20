#include "sys/holders.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

#include "sys/netns.h"

namespace vulcan {
namespace {

TEST(InhabitedNamespaces, HaveOwn) {
  const InhabitedNamespaces inhabited = ReadInhabitedNamespaces({});
  EXPECT_TRUE(inhabited.inodes.contains(IdOfNamespace(OpenCurrentNamespace().Get()).inode));
}

TEST(InhabitedNamespaces, SayWhyTheyAreNotAll) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const InhabitedNamespaces inhabited = ReadInhabitedNamespaces({});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(inhabited.unread, EMFILE);
}

}  // namespace
}  // namespace vulcan

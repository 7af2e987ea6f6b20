#include "sys/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <utility>

#include "throws.h"

namespace vulcan {
namespace {

class DescriptorsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0); }
  void TearDown() override { ::setrlimit(RLIMIT_NOFILE, &before_); }

  void Allow(rlim_t most) const {
    rlimit limit = before_;
    limit.rlim_cur = most;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

 private:
  rlimit before_{};
};

TEST_F(DescriptorsTest, KeepsAnEighthForTheOwnerButNeitherFewNorMany) {
  for (const auto& [most, kept] : {std::pair<rlim_t, std::uint64_t>{256, 64}, {1024, 128}, {16'384, 1024}}) {
    Allow(most);
    EXPECT_EQ(ReadDescriptorLimit().most, most);
    EXPECT_EQ(ReadDescriptorLimit().kept, kept) << most;
  }
}

TEST_F(DescriptorsTest, RefusesTheFirstOfTheOwners) {
  Allow(1024);
  RefuseOwnersDescriptor(895);
  EXPECT_TRUE(Throws(EMFILE, [] { RefuseOwnersDescriptor(896); }));
}

}  // namespace
}  // namespace vulcan

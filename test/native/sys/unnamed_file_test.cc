#include "sys/unnamed_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "sys/file_store.h"
#include "temporary_directory.h"

namespace vulcan {
namespace {

class UnnamedFiles : public testing::Test {
 protected:
  TemporaryDirectory temporary_;
  Directory directory_ = Directory::Open(temporary_.Path());
};

// Of the calling thread alone, which glibc's own functions could not do.
[[nodiscard]] bool DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  return ::syscall(SYS_capset, &header, none) == 0;
}

TEST_F(UnnamedFiles, HaveNoNameUntilTheyGetOneThatIsFree) {
  const UnnamedFile file(directory_, "data", 0640);
  EXPECT_EQ(directory_.Names(), std::vector<std::string>{});
  EXPECT_TRUE(file.TryName(directory_, "f"));
  EXPECT_EQ(ReadFile(directory_, "f", 100), "data");
  const UnnamedFile other(directory_, "other", 0640);
  EXPECT_FALSE(other.TryName(directory_, "f"));
  EXPECT_EQ(ReadFile(directory_, "f", 100), "data");
}

TEST_F(UnnamedFiles, AreNamedByWhoMayNotLinkDescriptors) {
  std::thread([this] {
    const UnnamedFile file(directory_, "data", 0600);
    // With other credentials than those that it was opened with, it takes CAP_DAC_READ_SEARCH.
    ASSERT_TRUE(DropCapabilities());
    ASSERT_EQ(::linkat(file.Fd(), "", directory_.Fd(), "f", AT_EMPTY_PATH), -1);
    ASSERT_EQ(errno, ENOENT);
    EXPECT_TRUE(file.TryName(directory_, "f"));
    EXPECT_FALSE(file.TryName(directory_, "f"));
    EXPECT_EQ(ReadFile(directory_, "f", 100), "data");
  }).join();
}

}  // namespace
}  // namespace vulcan

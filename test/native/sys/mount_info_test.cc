#include "sys/mount_info.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "no_more_files.h"
#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

TEST(MountInfo, ReadsLinesWithAnyNumberOfTags) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary / "mountinfo")
      << "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      << "40 27 0:4 net:[4026532247] /run/netns/x rw shared:7 master:2 - nsfs nsfs rw\n"
      << "41 27 0:30 / /a\\040b rw master:3 propagate_from:2 - tmpfs tmpfs rw\n";
  const auto mounts = ReadMountInfo(temporary / "mountinfo");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].id, 22U);
  EXPECT_EQ(mounts[0].peers, "");
  EXPECT_EQ(mounts[1].root, "net:[4026532247]");
  EXPECT_EQ(mounts[1].file_system, "nsfs");
  EXPECT_EQ(mounts[1].peers, "shared:7");
  EXPECT_EQ(mounts[2].peers, "");
}

TEST(MountInfo, IsNotEmptyForWantOfDescriptors) {
  const NoMoreFiles no_more;
  EXPECT_TRUE(Throws(EMFILE, [] { static_cast<void>(ReadMountInfo("/proc/self/mountinfo")); }));
}

TEST(MountInfo, IsEmptyForAProcessThatEnded) { EXPECT_TRUE(ReadMountInfo("/proc/0/mountinfo").empty()); }

}  // namespace
}  // namespace vulcan

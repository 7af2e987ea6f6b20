#include "sys/directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

namespace fs = std::filesystem;

[[nodiscard]] mode_t ModeOf(const std::string& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return status.st_mode & 07777;
}

TEST(Directory, OpensWhatIsOursAlone) {
  const TemporaryDirectory temporary;
  const Directory directory = Directory::Open(temporary.Path());
  EXPECT_GE(directory.Fd(), 0);
  EXPECT_EQ(directory.PathOf("a"), temporary / "a");
}

TEST(Directory, MayBeMissing) {
  const TemporaryDirectory temporary;
  EXPECT_FALSE(Directory::OpenIfPresent(temporary / "none").has_value());
  EXPECT_TRUE(Throws(ENOENT, [&] { static_cast<void>(Directory::Open(temporary / "none")); }));
}

TEST(Directory, IsUnsafeWhenOthersMayWriteIt) {
  const TemporaryDirectory temporary;
  for (const mode_t mode : {0720U, 0702U, 01777U}) {
    ::chmod(temporary.Path().c_str(), mode);
    EXPECT_TRUE(Throws(EPERM, Reason::kDirectoryUnsafe,
                       [&] { static_cast<void>(Directory::Open(temporary.Path())); }))
        << std::oct << mode;
  }
}

TEST(Directory, IsUnsafeWhenItIsASymlinkOrAFile) {
  const TemporaryDirectory temporary;
  fs::create_directory(temporary / "real");
  fs::create_directory_symlink(temporary / "real", temporary / "link");
  std::ofstream(temporary / "file") << "x";
  for (const char* name : {"link", "file"}) {
    EXPECT_TRUE(Throws(ENOTDIR, Reason::kDirectoryUnsafe, [&] {
      static_cast<void>(Directory::Open(temporary / name));
    })) << name;
  }
}

TEST(Directory, TakesOneComponentAsAName) {
  const TemporaryDirectory temporary;
  const Directory directory = Directory::Open(temporary.Path());
  for (const char* name : {"", ".", "..", "a/b", "/a"}) {
    EXPECT_TRUE(Throws(EINVAL, [&] { static_cast<void>(directory.PathOf(name)); })) << name;
  }
}

TEST(Directory, ListsNamesSortedByByte) {
  const TemporaryDirectory temporary;
  for (const char* name : {"b", "a", "B", ".c"}) std::ofstream(temporary / name) << "x";
  const Directory directory = Directory::Open(temporary.Path());
  const std::vector<std::string> expected{".c", "B", "a", "b"};
  EXPECT_EQ(directory.Names(), expected);
  EXPECT_EQ(directory.Names(), expected) << "a second time";
}

TEST(EnsureDirectory, MakesMissingParentsWithTheModeWhateverTheUmask) {
  const TemporaryDirectory temporary;
  const mode_t before = ::umask(0777);
  const bool created = EnsureDirectory(temporary / "a/b/c", 0750);
  ::umask(before);
  EXPECT_TRUE(created);
  for (const char* path : {"a", "a/b", "a/b/c"}) EXPECT_EQ(ModeOf(temporary / path), 0750U) << path;
}

TEST(EnsureDirectory, LeavesAnExistingOneAsItIs) {
  const TemporaryDirectory temporary;
  EnsureDirectory(temporary / "a", 0700);
  EXPECT_FALSE(EnsureDirectory(temporary / "a", 0755));
  EXPECT_EQ(ModeOf(temporary / "a"), 0700U);
}

TEST(EnsureDirectory, ChecksAnExistingOne) {
  const TemporaryDirectory temporary;
  EnsureDirectory(temporary / "a", 0700);
  ::chmod((temporary / "a").c_str(), 0777);
  EXPECT_TRUE(Throws(EPERM, Reason::kDirectoryUnsafe, [&] { EnsureDirectory(temporary / "a", 0700); }));
}

TEST(OpenStateDirectory, MakesWhatIsMissingForItsOwnerAlone) {
  const TemporaryDirectory temporary;
  EXPECT_EQ(OpenStateDirectory(temporary / "state/locks").Path(), temporary / "state/locks");
  for (const char* path : {"state", "state/locks"}) EXPECT_EQ(ModeOf(temporary / path), 0700U) << path;
}

TEST(OpenStateDirectory, MakesNothingInOneThatOthersMayChange) {
  const TemporaryDirectory temporary;
  EnsureDirectory(temporary / "state", 0700);
  ::chmod((temporary / "state").c_str(), 0777);
  EXPECT_TRUE(Throws(EPERM, Reason::kDirectoryUnsafe,
                     [&] { static_cast<void>(OpenStateDirectory(temporary / "state/locks")); }));
  EXPECT_FALSE(Directory::OpenIfPresent(temporary / "state/locks"));
}

}  // namespace
}  // namespace vulcan

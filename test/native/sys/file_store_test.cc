#include "sys/file_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

namespace fs = std::filesystem;

class FileStore : public testing::Test {
 protected:
  TemporaryDirectory temporary_;
  Directory directory_ = Directory::Open(temporary_.Path());
};

TEST_F(FileStore, ReadsWhatWasWritten) {
  const std::string data("a\0b\n", 4);
  WriteFile(directory_, "f", data, 0640);
  EXPECT_EQ(ReadFile(directory_, "f", 100), data);
  struct stat status {};
  ::stat((temporary_ / "f").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
}

TEST_F(FileStore, ReadsWhatEndsAtTheLimitOrAtTheEndOfAPiece) {
  constexpr std::size_t kPiece = 16'384;
  for (const std::size_t size : {std::size_t{0}, kPiece - 1, kPiece, kPiece + 1, 2 * kPiece}) {
    const std::string data(size, 'x');
    WriteFile(directory_, "f", data, 0600);
    EXPECT_EQ(ReadFile(directory_, "f", 1 << 20), data);
    EXPECT_EQ(ReadFile(directory_, "f", size), data);
    if (size == 0) continue;
    EXPECT_TRUE(Throws(EFBIG, [&] { static_cast<void>(ReadFile(directory_, "f", size - 1)); }));
  }
}

TEST_F(FileStore, HasItsModeWhateverAUmaskTakesFromOthers) {
  for (const mode_t mode : {0600U, 0640U, 0644U}) {
    const mode_t before = ::umask(0077);
    WriteFile(directory_, "f", "data", mode);
    ::umask(before);
    struct stat status {};
    ::stat((temporary_ / "f").c_str(), &status);
    EXPECT_EQ(status.st_mode & 07777, mode);
  }
}

TEST_F(FileStore, ReplacesAtOnceAndLeavesOneFile) {
  WriteFile(directory_, "f", "old", 0600);
  WriteFile(directory_, "f", "new", 0600);
  EXPECT_EQ(ReadFile(directory_, "f", 100), "new");
  EXPECT_EQ(directory_.Names(), std::vector<std::string>{"f"});
}

TEST_F(FileStore, ReplacesASymlinkAndNotWhatItLeadsTo) {
  std::ofstream(temporary_ / "victim") << "kept";
  fs::create_symlink("victim", temporary_ / "f");
  WriteFile(directory_, "f", "new", 0600);
  EXPECT_EQ(ReadFile(directory_, "victim", 100), "kept");
  EXPECT_EQ(ReadFile(directory_, "f", 100), "new");
}

TEST_F(FileStore, LeavesNothingWhenItCannotRename) {
  fs::create_directory(temporary_ / "f");
  EXPECT_TRUE(Throws(EISDIR, [&] { WriteFile(directory_, "f", "data", 0600); }));
  EXPECT_EQ(directory_.Names(), std::vector<std::string>{"f"});
}

TEST_F(FileStore, LeavesNothingOfAFileThatIsNotPublished) {
  {
    const UnpublishedFile file(Directory::Open(temporary_.Path()), "data", 0600);
    EXPECT_EQ(ListFiles(directory_), std::vector<std::string>{});
  }
  EXPECT_EQ(directory_.Names(), std::vector<std::string>{});
}

TEST_F(FileStore, PublishesAFileWhole) {
  UnpublishedFile file(Directory::Open(temporary_.Path()), "data", 0640);
  file.Publish("f");
  EXPECT_EQ(ReadFile(directory_, "f", 100), "data");
  EXPECT_EQ(directory_.Names(), std::vector<std::string>{"f"});
}

TEST_F(FileStore, PublishesNothingInThePlaceOfAnother) {
  WriteFile(directory_, "f", "old", 0600);
  {
    UnpublishedFile file(Directory::Open(temporary_.Path()), "new", 0600);
    EXPECT_TRUE(Throws(EEXIST, [&] { file.Publish("f"); }));
  }
  EXPECT_EQ(ReadFile(directory_, "f", 100), "old");
  EXPECT_EQ(directory_.Names(), std::vector<std::string>{"f"});
}

TEST_F(FileStore, KnowsNoSuchFile) {
  EXPECT_EQ(ReadFile(directory_, "none", 100), std::nullopt);
  EXPECT_FALSE(RemoveFile(directory_, "none"));
}

TEST_F(FileStore, ReadsUpToItsLimit) {
  WriteFile(directory_, "f", std::string(100, 'x'), 0600);
  EXPECT_EQ(ReadFile(directory_, "f", 100)->size(), 100U);
  EXPECT_TRUE(Throws(EFBIG, [&] { static_cast<void>(ReadFile(directory_, "f", 99)); }));
  WriteFile(directory_, "f", "", 0600);
  EXPECT_EQ(ReadFile(directory_, "f", 0), "");
}

TEST_F(FileStore, FollowsNoSymlink) {
  std::ofstream(temporary_ / "real") << "x";
  fs::create_symlink("real", temporary_ / "link");
  EXPECT_TRUE(Throws(ELOOP, [&] { static_cast<void>(ReadFile(directory_, "link", 100)); }));
}

TEST_F(FileStore, IsNotHeldUpByAFifo) {
  ASSERT_EQ(::mkfifo((temporary_ / "fifo").c_str(), 0600), 0);
  EXPECT_TRUE(Throws(EINVAL, [&] { static_cast<void>(ReadFile(directory_, "fifo", 100)); }));
}

TEST_F(FileStore, ListsRegularFilesOnly) {
  WriteFile(directory_, "b", "", 0600);
  WriteFile(directory_, "a", "", 0600);
  fs::create_directory(temporary_ / "directory");
  fs::create_symlink("a", temporary_ / "link");
  std::ofstream(temporary_ / ".vulcan-net-1") << "half";
  const std::vector<std::string> expected{"a", "b"};
  EXPECT_EQ(ListFiles(directory_), expected);
}

TEST_F(FileStore, RemovesAFileAndNoDirectory) {
  WriteFile(directory_, "f", "", 0600);
  EXPECT_TRUE(RemoveFile(directory_, "f"));
  EXPECT_FALSE(fs::exists(temporary_ / "f"));
  fs::create_directory(temporary_ / "d");
  EXPECT_TRUE(Throws(EISDIR, [&] { RemoveFile(directory_, "d"); }));
}

TEST_F(FileStore, StaysInItsDirectory) {
  EXPECT_TRUE(Throws(EINVAL, [&] { WriteFile(directory_, "../f", "x", 0600); }));
  EXPECT_TRUE(Throws(EINVAL, [&] { static_cast<void>(ReadFile(directory_, "../f", 1)); }));
  EXPECT_TRUE(Throws(EINVAL, [&] { RemoveFile(directory_, ".."); }));
}

}  // namespace
}  // namespace vulcan

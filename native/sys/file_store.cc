#include "sys/file_store.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/io.h"

namespace vulcan {
namespace {

// Hidden, so that whoever reads the directory passes over it.
constexpr std::string_view kTemporaryPrefix = ".vulcan-net-";

[[nodiscard]] std::string TemporaryName() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) throw SystemError("getrandom");
  return std::string(kTemporaryPrefix) + std::to_string(random);
}

[[nodiscard]] bool IsRegular(const struct stat& status) { return S_ISREG(status.st_mode); }

[[nodiscard]] FileVersion VersionIn(const struct stat& status) {
  constexpr double kMsPerSecond = 1e3;
  constexpr double kNsPerMs = 1e6;
  return {status.st_ino, static_cast<double>(status.st_mtim.tv_sec) * kMsPerSecond +
                             static_cast<double>(status.st_mtim.tv_nsec) / kNsPerMs};
}

}  // namespace

std::optional<std::string> ReadFile(const Directory& directory, const std::string& name, std::size_t limit) {
  const std::string path = directory.PathOf(name);
  // O_NONBLOCK: a FIFO must not hold up the thread.
  const UniqueFd fd(::openat(directory.Fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError("openat", path);
  }
  struct stat status {};
  if (::fstat(fd.Get(), &status) != 0) throw SystemError("fstat", path);
  if (!IsRegular(status)) throw Error(EINVAL, "openat", "not a regular file").Path(path);
  return ReadRegularFile(fd.Get(), limit, path);
}

std::optional<FileVersion> VersionOf(const Directory& directory, const std::string& name) {
  const std::string path = directory.PathOf(name);
  struct stat status {};
  if (::fstatat(directory.Fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return VersionIn(status);
  if (errno == ENOENT) return std::nullopt;
  throw SystemError("fstatat", path);
}

// No fsync: what is written here describes state of the running kernel, which a crash of the machine ends as
// well.
UnpublishedFile::UnpublishedFile(Directory directory, const std::string& data, mode_t mode)
    : directory_(std::move(directory)), file_(directory_, data, mode) {
  struct stat status {};
  if (::fstat(file_.Fd(), &status) != 0) throw SystemError("fstat", directory_.Path());
  version_ = VersionIn(status);
}

void UnpublishedFile::Publish(const std::string& name) const {
  if (!file_.TryName(directory_, name)) throw Error(EEXIST, "linkat").Path(directory_.PathOf(name));
}

void WriteFile(const Directory& directory, const std::string& name, const std::string& data, mode_t mode) {
  const UnnamedFile file(directory, data, mode);
  if (file.TryName(directory, name)) return;
  // What is there is replaced at once; only a file that is renamed can do that.
  const std::string temporary_name = TemporaryName();
  if (!file.TryName(directory, temporary_name)) throw Error(EEXIST, "linkat").Path(directory.Path());
  if (::renameat(directory.Fd(), temporary_name.c_str(), directory.Fd(), name.c_str()) == 0) return;
  const Error error = SystemError("rename", directory.PathOf(name));
  ::unlinkat(directory.Fd(), temporary_name.c_str(), 0);
  throw error;
}

bool HasFile(const Directory& directory, const std::string& name) {
  const std::string path = directory.PathOf(name);
  if (::faccessat(directory.Fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  throw SystemError("faccessat", path);
}

bool RemoveFile(const Directory& directory, const std::string& name) {
  const std::string path = directory.PathOf(name);
  if (::unlinkat(directory.Fd(), name.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw SystemError("unlink", path);
}

std::vector<std::string> ListFiles(const Directory& directory) {
  std::vector<std::string> names = directory.Names();
  std::erase_if(names, [&directory](const std::string& name) {
    if (name.starts_with(kTemporaryPrefix)) return true;
    struct stat status {};
    if (::fstatat(directory.Fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return !IsRegular(status);
    if (errno != ENOENT) throw SystemError("fstatat", directory.PathOf(name));
    return true;
  });
  return names;
}

std::vector<NamedText> ReadFiles(const Directory& directory, std::size_t limit) {
  std::vector<NamedText> files;
  for (std::string& name : ListFiles(directory)) {
    try {
      auto text = ReadFile(directory, name, limit);
      if (text) files.push_back({std::move(name), std::move(text)});
    } catch (const Error& error) {
      if (error.Errnum() != EFBIG) throw;
      files.push_back({std::move(name), std::nullopt});
    }
  }
  return files;
}

}  // namespace vulcan

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

// A file under a name of its own, which goes away unless it is renamed.
class TemporaryFile {
 public:
  TemporaryFile(const Directory& directory, mode_t mode)
      : directory_(directory),
        name_(TemporaryName()),
        fd_(::openat(directory.Fd(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     0600)) {
    if (!fd_) throw SystemError("openat", directory.PathOf(name_));
    if (::fchmod(fd_.Get(), mode) != 0) {
      const Error error = SystemError("fchmod", directory.PathOf(name_));
      Unlink();
      throw error;
    }
  }
  ~TemporaryFile() {
    if (!renamed_) Unlink();
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] int Fd() const noexcept { return fd_.Get(); }

  // `flags` are RENAME_*.
  void Rename(const std::string& name, unsigned flags) {
    // A full disk may be reported only now.
    if (::close(fd_.Release()) != 0) throw SystemError("close", directory_.PathOf(name));
    if (::renameat2(directory_.Fd(), name_.c_str(), directory_.Fd(), name.c_str(), flags) != 0) {
      throw SystemError("rename", directory_.PathOf(name));
    }
    renamed_ = true;
  }

 private:
  void Unlink() const noexcept { ::unlinkat(directory_.Fd(), name_.c_str(), 0); }

  const Directory& directory_;
  std::string name_;
  UniqueFd fd_;
  bool renamed_ = false;
};

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
  return ReadAll(fd.Get(), limit, path);
}

// No fsync: what is written here describes state of the running kernel, which a crash of the machine ends as
// well.
void WriteFile(const Directory& directory, const std::string& name, const std::string& data, mode_t mode) {
  const std::string path = directory.PathOf(name);
  TemporaryFile file(directory, mode);
  WriteAll(file.Fd(), data, path);
  file.Rename(name, 0);
}

void CreateFile(const Directory& directory, const std::string& name, const std::string& data, mode_t mode) {
  const std::string path = directory.PathOf(name);
  TemporaryFile file(directory, mode);
  WriteAll(file.Fd(), data, path);
  file.Rename(name, RENAME_NOREPLACE);
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
    struct stat status {};
    return name.starts_with(kTemporaryPrefix) ||
           ::fstatat(directory.Fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !IsRegular(status);
  });
  return names;
}

}  // namespace vulcan

#include "sys/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "sys/directory_stream.h"

namespace vulcan {
namespace {

[[nodiscard]] struct statx StatusOf(int fd, const std::string& path) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0) throw SystemError("statx", path);
  return status;
}

void CheckNobodyElseCanChange(const struct statx& status, const std::string& path) {
  const bool trusted = status.stx_uid == 0 || status.stx_uid == ::geteuid();
  if (!trusted)
    throw Error(EPERM, "statx", "belongs to someone else").Path(path).Why(Reason::kDirectoryUnsafe);
  if ((status.stx_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(EPERM, "statx", "may be written by others").Path(path).Why(Reason::kDirectoryUnsafe);
  }
}

// Whether it was missing.
bool MakeDirectory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST) return false;
    throw SystemError("mkdir", path);
  }
  // The umask has taken bits away.
  if (::chmod(path.c_str(), mode) != 0) throw SystemError("chmod", path);
  return true;
}

}  // namespace

Directory Directory::Open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    Error error = SystemError("open", path);
    // The kernel answers ENOTDIR for a symlink, too.
    if (error.Errnum() == ENOTDIR || error.Errnum() == ELOOP) error.Why(Reason::kDirectoryUnsafe);
    throw error;
  }
  const struct statx status = StatusOf(fd.Get(), path);
  CheckNobodyElseCanChange(status, path);
  return {std::move(fd), path, (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0};
}

std::optional<Directory> Directory::OpenIfPresent(const std::string& path) {
  try {
    return Open(path);
  } catch (const Error& error) {
    if (error.Errnum() == ENOENT) return std::nullopt;
    throw;
  }
}

std::string Directory::PathOf(const std::string& name) const {
  const bool component = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
  if (!component) throw Error(EINVAL, "openat", "not a file name").Path(name);
  return path_ + "/" + name;
}

std::vector<std::string> Directory::Names() const {
  // Opened anew, because descriptors share their place in the list.
  UniqueFd fd(::openat(Fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw SystemError("openat", path_);
  const DirectoryStream stream(::fdopendir(fd.Get()));
  if (!stream) throw SystemError("fdopendir", path_);
  static_cast<void>(fd.Release());

  std::vector<std::string> names;
  errno = 0;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this thread's own
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) throw SystemError("readdir", path_);
  std::sort(names.begin(), names.end());
  return names;
}

bool EnsureDirectory(const std::string& path, mode_t mode) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    MakeDirectory(path.substr(0, slash), mode);
  }
  const bool created = MakeDirectory(path, mode);
  static_cast<void>(Directory::Open(path));
  return created;
}

Directory OpenStateDirectory(const std::string& path) {
  constexpr mode_t kMode = 0700;
  if (auto directory = Directory::OpenIfPresent(path)) return std::move(*directory);
  if (const auto slash = path.rfind('/'); slash != 0 && slash != std::string::npos) {
    EnsureDirectory(path.substr(0, slash), kMode);
  }
  EnsureDirectory(path, kMode);
  return Directory::Open(path);
}

}  // namespace vulcan

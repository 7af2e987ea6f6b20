#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace vulcan {

// A directory that nobody else can change: not a symlink, root's or ours, and not writable by group or
// others. Whatever it holds is opened relative to it.
class Directory {
 public:
  // ENOENT when it is not there; reason kDirectoryUnsafe when others may change it.
  [[nodiscard]] static Directory Open(const std::string& path);
  [[nodiscard]] static std::optional<Directory> OpenIfPresent(const std::string& path);

  [[nodiscard]] int Fd() const noexcept { return fd_->Get(); }
  [[nodiscard]] const std::string& Path() const noexcept { return path_; }
  // Whether something was mounted there when it was opened.
  [[nodiscard]] bool IsMount() const noexcept { return is_mount_; }
  // For messages. EINVAL unless `name` is one component of a path.
  [[nodiscard]] std::string PathOf(const std::string& name) const;
  // Without "." and "..", sorted by byte.
  [[nodiscard]] std::vector<std::string> Names() const;

 private:
  Directory(UniqueFd fd, std::string path, bool is_mount)
      : fd_(std::make_shared<const UniqueFd>(std::move(fd))), path_(std::move(path)), is_mount_(is_mount) {}

  // Of all copies.
  std::shared_ptr<const UniqueFd> fd_;
  std::string path_;
  bool is_mount_;
};

// Makes the directory, and its missing parents, with exactly this mode, and checks it as Directory::Open
// does. Says whether it was missing.
bool EnsureDirectory(const std::string& path, mode_t mode);

// One of a state directory's own: where somebody has removed it, it is made again, with its parent.
[[nodiscard]] Directory OpenStateDirectory(const std::string& path);

}  // namespace vulcan

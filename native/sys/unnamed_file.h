#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "sys/directory.h"

namespace vulcan {

// A file that is whole before it has a name, so that nobody ever reads a part of it, and whoever dies
// meanwhile leaves nothing. It takes a file system with O_TMPFILE: tmpfs, ext4, XFS, Btrfs, overlayfs from
// Linux 6.1.
class UnnamedFile {
 public:
  UnnamedFile(const Directory& directory, const std::string& data, mode_t mode);

  // In the directory that it was made in. Whether the name was free.
  [[nodiscard]] bool TryName(const Directory& directory, const std::string& name) const;

  [[nodiscard]] int Fd() const noexcept { return fd_.Get(); }

 private:
  UniqueFd fd_;
};

}  // namespace vulcan

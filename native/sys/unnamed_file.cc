#include "sys/unnamed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "sys/io.h"

namespace vulcan {

UnnamedFile::UnnamedFile(const Directory& directory, const std::string& data, mode_t mode)
    : fd_(::openat(directory.Fd(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode)) {
  if (!fd_) throw SystemError("openat(O_TMPFILE)", directory.Path());
  // A umask takes from them what is theirs.
  const bool is_for_others = (mode & (S_IRWXG | S_IRWXO)) != 0;
  if (is_for_others && ::fchmod(fd_.Get(), mode) != 0) throw SystemError("fchmod", directory.Path());
  WriteAll(fd_.Get(), data, directory.Path());
}

bool UnnamedFile::TryName(const Directory& directory, const std::string& name) const {
  const std::string path = directory.PathOf(name);
  if (::linkat(fd_.Get(), "", directory.Fd(), name.c_str(), AT_EMPTY_PATH) == 0) return true;
  // Before Linux 6.10 that takes CAP_DAC_READ_SEARCH; the way through /proc, which takes twice the time, does
  // not.
  if (errno == ENOENT) {
    const std::string self = "/proc/thread-self/fd/" + std::to_string(fd_.Get());
    if (::linkat(AT_FDCWD, self.c_str(), directory.Fd(), name.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
  }
  if (errno == EEXIST) return false;
  throw SystemError("linkat", path);
}

}  // namespace vulcan

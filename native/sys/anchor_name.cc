#include "sys/anchor_name.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace vulcan {

std::string PathOfFd(int fd) { return "/proc/thread-self/fd/" + std::to_string(fd); }

UniqueFd OpenName(const Directory& directory, const std::string& name) {
  UniqueFd fd(::openat(directory.Fd(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno != ENOENT) throw SystemError("openat", directory.PathOf(name));
  return fd;
}

void UnlinkName(const Directory& directory, const std::string& name) {
  if (::unlinkat(directory.Fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
    throw SystemError("unlink", directory.PathOf(name));
  }
}

Error NameTaken(const Directory& directory, const std::string& name) {
  return Error(EEXIST, "open").Path(directory.PathOf(name)).Why(Reason::kForeign);
}

}  // namespace vulcan

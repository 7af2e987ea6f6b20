#include "sys/process_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/io.h"

namespace vulcan {
namespace {

// A mount namespace has 100,000 mounts at most (fs.mount-max), unless somebody has raised that.
constexpr std::size_t kMostBytes = 256U << 20U;

}  // namespace

bool IsEndedOrHidden(int errnum) noexcept {
  return errnum == ENOENT || errnum == ESRCH || errnum == EACCES || errnum == EPERM;
}

// O_CLOEXEC: a mountinfo that a child inherits would hold another mount namespace.
std::optional<std::string> ReadProcessFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    // EINVAL: of one that has ended and that nobody has waited for yet, mounts (mounts_open_common of
    // fs/proc_namespace.c).
    if (IsEndedOrHidden(errno) || errno == EINVAL) return std::nullopt;
    throw SystemError("open", path);
  }
  try {
    return ReadAll(file.Get(), kMostBytes, path);
  } catch (const Error& error) {
    if (IsEndedOrHidden(error.Errnum())) return std::nullopt;
    throw;
  }
}

}  // namespace vulcan

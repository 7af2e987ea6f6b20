#include "sys/link_presence.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace vulcan {
namespace {

[[nodiscard]] bool IsThere(const std::string& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), F_OK, 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw SystemError("faccessat", path);
}

}  // namespace

bool IsLinkPresent(const std::string& name) { return IsThere("/proc/sys/net/ipv4/conf/" + name); }

bool HasIpv6() { return IsThere("/proc/sys/net/ipv6/conf"); }

}  // namespace vulcan

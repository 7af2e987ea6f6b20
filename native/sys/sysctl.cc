#include "sys/sysctl.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/io.h"

namespace vulcan {
namespace {

constexpr std::size_t kValueLimit = 65'536;

[[nodiscard]] UniqueFd OpenKey(const std::string& key, unsigned int flags) {
  const UniqueFd root(::open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) throw SystemError("open", "/proc/sys");
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root.Get(), key.c_str(), &how, sizeof how)));
  if (!fd && errno != ENOENT) throw SystemError("openat2", "/proc/sys/" + key);
  return fd;
}

// Lists are separated by tabs when they are read, and by anything when they are written.
[[nodiscard]] std::string Words(const std::string& text) {
  std::istringstream stream(text);
  std::string words;
  for (std::string word; stream >> word;) words += (words.empty() ? "" : " ") + word;
  return words;
}

}  // namespace

std::optional<std::string> ReadSysctl(const std::string& key) {
  const UniqueFd fd = OpenKey(key, O_RDONLY);
  if (!fd) return std::nullopt;
  return Words(ReadAll(fd.Get(), kValueLimit, "/proc/sys/" + key));
}

bool WriteSysctl(const std::string& key, const std::string& value) {
  if (ReadSysctl(key) == Words(value)) return false;
  const UniqueFd fd = OpenKey(key, O_WRONLY);
  if (!fd) throw Error(ENOENT, "openat2").Path("/proc/sys/" + key);
  WriteAll(fd.Get(), value, "/proc/sys/" + key);
  return true;
}

}  // namespace vulcan

#include "sys/capabilities.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/io.h"

namespace vulcan {

std::string EffectiveCapabilities() {
  constexpr std::string_view kKey = "CapEff:\t";
  const std::string path = "/proc/thread-self/status";
  constexpr std::size_t kLimit = 65'536;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw SystemError("open", path);
  std::istringstream lines(ReadAll(file.Get(), kLimit, path));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  }
  throw Error(ENODATA, "read").Path(path);
}

}  // namespace vulcan

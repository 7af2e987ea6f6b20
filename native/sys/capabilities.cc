#include "sys/capabilities.h"

#include <cerrno>
#include <fstream>
#include <string_view>

#include "base/error.h"

namespace vulcan {

std::string EffectiveCapabilities() {
  constexpr std::string_view kKey = "CapEff:\t";
  const std::string path = "/proc/thread-self/status";
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  }
  throw Error(ENODATA, "read").Path(path);
}

}  // namespace vulcan

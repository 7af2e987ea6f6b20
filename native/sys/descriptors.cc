#include "sys/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/error.h"

namespace vulcan {

DescriptorLimit ReadDescriptorLimit() {
  constexpr std::uint64_t kShare = 8;
  constexpr std::uint64_t kFewest = 64;
  constexpr std::uint64_t kMost = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw SystemError("getrlimit");
  const std::uint64_t most = limit.rlim_cur;
  return {most, std::clamp(most / kShare, kFewest, kMost)};
}

void RefuseOwnersDescriptor(int fd) {
  const DescriptorLimit limit = ReadDescriptorLimit();
  if (static_cast<std::uint64_t>(fd) + limit.kept < limit.most) return;
  throw Error(EMFILE, "getrlimit",
              "of the " + std::to_string(limit.most) + " descriptors that this process may have open, " +
                  std::to_string(limit.kept) + " are not for slots of a pool");
}

}  // namespace vulcan

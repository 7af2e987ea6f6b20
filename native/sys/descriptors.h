#pragma once

#include <cstdint>

namespace vulcan {

// How many descriptors this process may have open, and how many of those are for its owner alone: what is
// kept ahead of its use, a descriptor each, leaves so many.
struct DescriptorLimit {
  std::uint64_t most = 0;
  std::uint64_t kept = 0;
};

// As it is now: anybody may change it (prlimit).
[[nodiscard]] DescriptorLimit ReadDescriptorLimit();

// EMFILE where `fd`, which was just opened to be kept, is one of the owner's. The kernel gives the lowest
// number that is free, so as many are open as it says.
void RefuseOwnersDescriptor(int fd);

}  // namespace vulcan

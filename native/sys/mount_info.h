#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vulcan {

// A line of mountinfo (proc(5)), as far as it is needed here.
struct MountInfo {
  std::uint64_t id;
  // What of the file system is mounted: "net:[4026531840]" for a network namespace.
  std::string root;
  // "shared:1": of all mounts that are made and removed with it. Empty: it is not shared.
  std::string peers;
  std::string file_system;
};

// Empty when the process that the file belongs to has ended, or does not let itself be looked at.
[[nodiscard]] std::vector<MountInfo> ReadMountInfo(const std::string& path);

}  // namespace vulcan

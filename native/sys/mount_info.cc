#include "sys/mount_info.h"

#include <sstream>
#include <utility>

#include "sys/process_file.h"

namespace vulcan {

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
std::vector<MountInfo> ReadMountInfo(const std::string& path) {
  std::istringstream file(ReadProcessFile(path).value_or(""));
  std::vector<MountInfo> mounts;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    MountInfo mount{};
    std::string ignored;
    fields >> mount.id >> ignored >> ignored >> mount.root >> ignored >> ignored;
    for (std::string tag; fields >> tag && tag != "-";) {
      if (tag.starts_with("shared:")) mount.peers = tag;
    }
    if (fields >> mount.file_system) mounts.push_back(std::move(mount));
  }
  return mounts;
}

}  // namespace vulcan

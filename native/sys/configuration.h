#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vulcan {

// Files that an administrator put there: symlinks are followed, and the directories may be anyone's.

// Empty when there is no such file; EFBIG when it is larger than `limit` bytes.
[[nodiscard]] std::optional<std::string> ReadConfiguration(const std::string& path, std::size_t limit);

// Names of regular files, sorted by byte; empty when the directory is missing.
[[nodiscard]] std::vector<std::string> ListConfiguration(const std::string& directory);

struct FoundFile {
  std::string path;
  // Whether this process may execute it.
  bool executable;
};

// The first of the directories that has `name` as a regular file.
[[nodiscard]] std::optional<FoundFile> FindFile(const std::vector<std::string>& directories,
                                                const std::string& name);

}  // namespace vulcan

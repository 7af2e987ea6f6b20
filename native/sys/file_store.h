#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sys/directory.h"

namespace vulcan {

// Regular files in a checked directory; symlinks are never followed (ELOOP).

// Empty when there is no such file; EFBIG when it is larger than `limit` bytes.
[[nodiscard]] std::optional<std::string> ReadFile(const Directory& directory, const std::string& name,
                                                  std::size_t limit);

// Readers see the old content or the new, never a part. Nothing is left when it fails.
void WriteFile(const Directory& directory, const std::string& name, const std::string& data, mode_t mode);

// The same for a name that is not in use: EEXIST when it is.
void CreateFile(const Directory& directory, const std::string& name, const std::string& data, mode_t mode);

// Whether anything has the name.
[[nodiscard]] bool HasFile(const Directory& directory, const std::string& name);

// Whether there was one.
bool RemoveFile(const Directory& directory, const std::string& name);

// Sorted by byte, without what an interrupted WriteFile may have left.
[[nodiscard]] std::vector<std::string> ListFiles(const Directory& directory);

}  // namespace vulcan

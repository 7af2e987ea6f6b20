#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/directory.h"

namespace vulcan {

// The file that is an anchor's name, and what is mounted on it.

// For calls that take a path only.
[[nodiscard]] std::string PathOfFd(int fd);

// Whatever has the name (O_PATH); empty when nothing has.
[[nodiscard]] UniqueFd OpenName(const Directory& directory, const std::string& name);

// Absent is fine.
void UnlinkName(const Directory& directory, const std::string& name);

// EEXIST with reason kForeign.
[[nodiscard]] Error NameTaken(const Directory& directory, const std::string& name);

}  // namespace vulcan

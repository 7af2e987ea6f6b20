#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vulcan {

// The rest of the file; EFBIG when that is more than `limit` bytes. `path` is for the error.
[[nodiscard]] std::string ReadAll(int fd, std::size_t limit, const std::string& path);

void WriteAll(int fd, std::string_view data, const std::string& path);

}  // namespace vulcan

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vulcan {

// The rest of the file; EFBIG when that is more than `limit` bytes. `path` is for the error.
[[nodiscard]] std::string ReadAll(int fd, std::size_t limit, const std::string& path);

// The same of a regular file, from its beginning on. It gives all it has, so what is short is the end.
[[nodiscard]] std::string ReadRegularFile(int fd, std::size_t limit, const std::string& path);

void WriteAll(int fd, std::string_view data, const std::string& path);

// In place, from the file's beginning on.
void Overwrite(int fd, std::string_view data, const std::string& path);

}  // namespace vulcan

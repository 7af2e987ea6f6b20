#pragma once

#include <string>
#include <string_view>

namespace vulcan::plugin {

// All of standard input.
[[nodiscard]] std::string ReadInput();

// Writes all of it to standard output, or throws an Error.
void Print(std::string_view text);

}  // namespace vulcan::plugin

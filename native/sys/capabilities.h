#pragma once

#include <string>

namespace vulcan {

// The calling thread's effective capabilities: a bit mask in hexadecimal, as /proc/self/status has it.
[[nodiscard]] std::string EffectiveCapabilities();

}  // namespace vulcan

#pragma once

#include <optional>
#include <string>

namespace vulcan {

// Whether a failure to look at a process in /proc says that it has ended, or that it does not let itself be
// looked at, which takes CAP_SYS_PTRACE.
[[nodiscard]] bool IsEndedOrHidden(int errnum) noexcept;

// A file of a process in /proc; nothing where IsEndedOrHidden.
[[nodiscard]] std::optional<std::string> ReadProcessFile(const std::string& path);

}  // namespace vulcan

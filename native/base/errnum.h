#pragma once

#include <cerrno>

namespace vulcan {

// The errno of an answer of the kernel's, which has it negative, or 0; EBADMSG where there can be no such
// errno.
[[nodiscard]] constexpr int ErrnumOf(int answer) noexcept {
  constexpr int kMaxErrno = 4095;
  if (answer < -kMaxErrno || answer > kMaxErrno) return EBADMSG;
  return answer < 0 ? -answer : answer;
}

}  // namespace vulcan

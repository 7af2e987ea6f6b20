#pragma once

#include <ctime>

namespace vulcan {

// Since a time that a file bears, by the clock that files are marked with.
[[nodiscard]] inline double AgeMs(const timespec& then) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec - then.tv_sec) * 1e3 +
         static_cast<double>(now.tv_nsec - then.tv_nsec) / 1e6;
}

}  // namespace vulcan

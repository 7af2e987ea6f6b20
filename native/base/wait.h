#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <variant>
#include <vector>

namespace vulcan {

using Clock = std::chrono::steady_clock;

// What a job that can't go on waits for: any of the descriptors, or the time, whichever is first.
struct Wait {
  std::vector<pollfd> fds;
  Clock::time_point until = Clock::time_point::max();
};

// What may have to be called again: a Wait, or the result.
template <typename Result>
using Progress = std::variant<Wait, Result>;

// For poll(): -1 for no time at all; rounded up, so that what waited is never too early.
[[nodiscard]] inline int PollTimeoutMs(Clock::time_point until) {
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  constexpr long long kMostMs = 3'600'000;
  return static_cast<int>(std::clamp<long long>(left, 0, kMostMs));
}

}  // namespace vulcan

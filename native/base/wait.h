#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace vulcan {

using Clock = std::chrono::steady_clock;

// What a job that can't go on waits for: any of the descriptors, or the time, whichever is first.
struct Wait {
  std::vector<pollfd> fds;
  Clock::time_point until = Clock::time_point::max();
};

// What a function that never blocks returns: its result, or a wait after which it is to be called again.
template <typename T>
struct Progress {
  Progress(Wait until) : wait(std::move(until)) {}  // NOLINT(google-explicit-constructor): returned as either
  Progress(T value) : result(std::move(value)) {}   // NOLINT(google-explicit-constructor)

  std::optional<Wait> wait;
  std::optional<T> result;
};

// For poll(): -1 for no time at all; rounded up, so that what waited is never too early.
[[nodiscard]] inline int PollTimeoutMs(Clock::time_point until) {
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  constexpr long long kMostMs = 3'600'000;
  return static_cast<int>(std::clamp<long long>(left, 0, kMostMs));
}

}  // namespace vulcan

#pragma once

#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "base/wait.h"

namespace vulcan {

struct StepTime {
  const char* step;
  std::chrono::nanoseconds took;
};

// How long each step of an operation takes, its waits included; one that comes again goes on where it
// stopped.
class StepClock {
 public:
  explicit StepClock(const char* first) : step_(first) {}

  void Begin(const char* step) {
    const auto now = Clock::now();
    Count(now - since_);
    step_ = step;
    since_ = now;
  }
  [[nodiscard]] std::vector<StepTime> End() {
    Count(Clock::now() - since_);
    return std::move(times_);
  }

 private:
  void Count(Clock::duration took) {
    for (StepTime& each : times_) {
      if (std::strcmp(each.step, step_) != 0) continue;
      each.took += took;
      return;
    }
    times_.push_back({step_, took});
  }

  const char* step_;
  Clock::time_point since_ = Clock::now();
  std::vector<StepTime> times_;
};

}  // namespace vulcan

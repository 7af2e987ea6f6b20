#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>

#include "base/wait.h"

namespace vulcan {

// Host links whose namespaces have lost their names, while the kernel has yet to free them. It holds RTNL
// most of the time that this takes, so whatever is no caller's work had better wait for it.
class FreeingLinks {
 public:
  // A link that is still there after so long is somebody's who holds its namespace.
  static constexpr std::chrono::seconds kPatience{2};

  explicit FreeingLinks(Clock::duration patience = kPatience) : patience_(patience) {}

  void Add(const std::string& link);

  // Whether the kernel lags. By a thread in the host's namespace.
  [[nodiscard]] bool AreMany();

 private:
  struct Link {
    std::string name;
    Clock::time_point until;
  };

  Clock::duration patience_;
  std::deque<Link> links_;
};

}  // namespace vulcan

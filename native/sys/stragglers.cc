#include "sys/stragglers.h"

#include <sys/wait.h>

#include <array>
#include <atomic>

namespace vulcan {
namespace {

// Of more, those that find no place stay zombies.
constexpr std::size_t kMost = 64;
using Places = std::array<std::atomic<pid_t>, kMost>;

[[nodiscard]] Places& AllPlaces() noexcept {
  static Places places{};
  return places;
}

}  // namespace

void AddStraggler(pid_t pid) noexcept {
  for (auto& place : AllPlaces()) {
    pid_t none = 0;
    if (place.compare_exchange_strong(none, pid)) return;
  }
}

// One that has been taken out is nobody else's: its number may be another child's once it is reaped.
void ReapStragglers() noexcept {
  for (auto& place : AllPlaces()) {
    const pid_t pid = place.exchange(0);
    if (pid != 0 && ::waitpid(pid, nullptr, WNOHANG) == 0) AddStraggler(pid);
  }
}

}  // namespace vulcan

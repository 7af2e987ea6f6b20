#include "sys/stragglers.h"

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <utility>

namespace vulcan {
namespace {

// Of more, those that find no place stay zombies.
constexpr std::size_t kMost = 64;

// A descriptor, and not a number that may be another child's by now: an application may reap those that are
// not its own. 0: none, as that is standard input.
using Place = std::atomic<int>;

[[nodiscard]] std::array<Place, kMost>& AllPlaces() noexcept {
  static std::array<Place, kMost> places{};
  return places;
}

[[nodiscard]] bool IsAlive(const UniqueFd& pidfd) noexcept {
  siginfo_t info{};
  const auto fd = static_cast<id_t>(pidfd.Get());
  return ::waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0;
}

}  // namespace

void AddStraggler(UniqueFd pidfd) noexcept {
  for (auto& place : AllPlaces()) {
    int none = 0;
    if (!place.compare_exchange_strong(none, pidfd.Get())) continue;
    static_cast<void>(pidfd.Release());
    return;
  }
}

// One that has been taken out is nobody else's.
void ReapStragglers() noexcept {
  for (auto& place : AllPlaces()) {
    const int fd = place.exchange(0);
    if (fd == 0) continue;
    UniqueFd pidfd(fd);
    if (IsAlive(pidfd)) AddStraggler(std::move(pidfd));
  }
}

}  // namespace vulcan

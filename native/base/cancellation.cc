#include "base/cancellation.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace vulcan {
namespace {

void Signal(int event) noexcept {
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) is readable already.
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

}  // namespace

Cancellation::~Cancellation() {
  const int event = event_.load();
  if (event >= 0) ::close(event);
}

// Each side publishes before it looks at the other's, so one of the two signals.
void Cancellation::Cancel() noexcept {
  cancelled_.store(true);
  const int event = event_.load();
  if (event >= 0) Signal(event);
}

int Cancellation::Fd() const {
  int event = event_.load();
  if (event >= 0) return event;
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) throw SystemError("eventfd");
  event_.store(event);
  if (IsCancelled()) Signal(event);
  return event;
}

}  // namespace vulcan

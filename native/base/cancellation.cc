#include "base/cancellation.h"

#include <sys/eventfd.h>

#include <cstdint>

namespace vulcan {

Cancellation::Cancellation() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw SystemError("eventfd");
}

void Cancellation::Cancel() noexcept {
  cancelled_.store(true);
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) is readable already.
  [[maybe_unused]] const auto written = ::write(event_.Get(), &one, sizeof one);
}

}  // namespace vulcan

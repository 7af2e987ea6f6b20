#pragma once

#include <atomic>

#include "base/error.h"
#include "base/unique_fd.h"

namespace vulcan {

// One task's cancellation: set from any thread, looked at between steps, and pollable where a task waits.
class Cancellation {
 public:
  Cancellation();

  void Cancel() noexcept;
  [[nodiscard]] bool IsCancelled() const noexcept { return cancelled_.load(); }
  // Readable once cancelled; for poll().
  [[nodiscard]] int Fd() const noexcept { return event_.Get(); }
  void ThrowIfCancelled() const {
    if (IsCancelled()) throw CancelledError();
  }

 private:
  std::atomic<bool> cancelled_{false};
  UniqueFd event_;
};

}  // namespace vulcan

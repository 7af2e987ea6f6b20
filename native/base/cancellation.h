#pragma once

#include <atomic>

#include "base/error.h"

namespace vulcan {

// One task's cancellation: set from any thread, looked at between steps, and pollable where a task waits.
class Cancellation {
 public:
  Cancellation() noexcept = default;
  ~Cancellation();

  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel() noexcept;
  [[nodiscard]] bool IsCancelled() const noexcept { return cancelled_.load(); }
  void ThrowIfCancelled() const {
    if (IsCancelled()) throw CancelledError();
  }
  // Readable once cancelled; for poll(). Most tasks never wait, so the descriptor is made when it is first
  // asked for, which only the task's own thread may do.
  [[nodiscard]] int Fd() const;

 private:
  std::atomic<bool> cancelled_{false};
  mutable std::atomic<int> event_{-1};
};

}  // namespace vulcan

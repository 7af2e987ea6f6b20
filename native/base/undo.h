#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/wait.h"

namespace vulcan {

// What must be done to take back the steps so far, newest first. Left alone, the destructor does nothing:
// whoever catches the failure calls Unwind, and whoever succeeds simply lets it go.
class UndoStack {
 public:
  void Push(std::function<void()> step) {
    PushWaiting([step = std::move(step)]() -> std::optional<Wait> {
      step();
      return std::nullopt;
    });
  }
  // One that is called again after each wait that it returns.
  void PushWaiting(std::function<std::optional<Wait>()> step) { steps_.push_back(std::move(step)); }

  // Runs every step, past failing ones; what failed is added to `error`. Where one waits, it is to be called
  // again.
  [[nodiscard]] std::optional<Wait> TryUnwind(Error& error) {
    for (; !steps_.empty(); steps_.pop_back()) {
      try {
        if (auto wait = steps_.back()()) return wait;
      } catch (...) {
        error.UndoFailed(CurrentError());
      }
    }
    return std::nullopt;
  }
  // The same, where no step waits.
  void Unwind(Error& error) { static_cast<void>(TryUnwind(error)); }

 private:
  std::vector<std::function<std::optional<Wait>()>> steps_;
};

}  // namespace vulcan

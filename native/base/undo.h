#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/error.h"

namespace vulcan {

// What must be done to take back the steps so far, newest first. Left alone, the destructor does nothing:
// whoever catches the failure calls Unwind, and whoever succeeds simply lets it go.
class UndoStack {
 public:
  void Push(std::function<void()> step) { steps_.push_back(std::move(step)); }

  // Runs every step, past failing ones; what failed is added to `error`.
  void Unwind(Error& error) {
    while (!steps_.empty()) {
      const auto step = std::move(steps_.back());
      steps_.pop_back();
      try {
        step();
      } catch (...) {
        error.UndoFailed(CurrentError());
      }
    }
  }

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace vulcan

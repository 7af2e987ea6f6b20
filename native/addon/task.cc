#include "addon/task.h"

namespace vulcan::addon {

std::optional<Wait> Task::Run() noexcept {
  try {
    if (!std::exchange(started_, true)) cancellation_.ThrowIfCancelled();
    return Step(cancellation_);
  } catch (...) {
    error_ = CurrentError();
    return std::nullopt;
  }
}

void Task::Settle(Napi::Env env) noexcept {
  try {
    const Napi::HandleScope scope(env);
    try {
      if (error_) throw ToJsError(env, *error_);
      deferred_.Resolve(Result(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  } catch (...) {
    // JavaScript can't run any more: a worker that is being terminated. Nobody is left to be told.
  }
}

}  // namespace vulcan::addon

#include "addon/task.h"

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

namespace vulcan::addon {
namespace {

[[nodiscard]] Error CurrentError() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::system_error& error) {
    return {error.code().value(), "std::thread", error.what()};
  } catch (const std::bad_alloc&) {
    return {ENOMEM, "operator new"};
  } catch (const std::exception& error) {
    return {EIO, "vulcan_net", error.what()};
  }
}

}  // namespace

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

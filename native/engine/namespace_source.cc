#include "engine/namespace_source.h"

#include <utility>

#include "base/error.h"
#include "sys/netns.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

[[nodiscard]] UniqueFd OpenTunHere() {
  try {
    return OpenTun();
  } catch (Error& error) {
    throw error.At("tap");
  }
}

}  // namespace

void NamespaceSource::Start() {
  if (begun_) return;
  worker_.Begin([this] { made_.emplace(NewNamespace{OpenCurrentNamespace(), RtnlSocket(), OpenTunHere()}); });
  begun_ = true;
}

void NamespaceSource::Begin() noexcept {
  try {
    Keep();
    Start();
  } catch (...) {
    // Whoever takes it begins it again, and is told.
    begun_ = false;
  }
}

void NamespaceSource::BeginFirst() noexcept {
  if (!ready_) Begin();
}

void NamespaceSource::Keep() {
  if (begun_ && !ready_ && worker_.IsDone()) ready_ = Finish();
}

NewNamespace NamespaceSource::Finish() {
  Start();
  begun_ = false;
  worker_.Finish();
  return *std::exchange(made_, std::nullopt);
}

NewNamespace NamespaceSource::FinishOrRetry() {
  const bool ahead = begun_;
  try {
    return Finish();
  } catch (const Error&) {
    // What went wrong some time ago may go well now.
    if (!ahead) throw;
    return Finish();
  }
}

NewNamespace NamespaceSource::Take() {
  if (ready_) return *std::exchange(ready_, std::nullopt);
  NewNamespace taken = FinishOrRetry();
  // Whoever comes next would have to wait, too.
  Begin();
  return taken;
}

}  // namespace vulcan

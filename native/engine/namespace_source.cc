#include "engine/namespace_source.h"

#include <utility>

#include "base/error.h"
#include "sys/netns.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

[[nodiscard]] Tap MakeTap(const TapPlan& plan) {
  try {
    return Tap(plan.name, plan.owner);
  } catch (Error& error) {
    throw error.At("tap");
  }
}

}  // namespace

void NamespaceSource::Start(const TapPlan& tap) {
  if (begun_) return;
  worker_.Begin([this, tap] {
    made_.emplace(NewNamespace{OpenCurrentNamespace(), RtnlSocket(), MakeTap(tap)});
  });
  begun_ = true;
}

void NamespaceSource::Begin(const TapPlan& tap) noexcept {
  try {
    Keep();
    Start(tap);
  } catch (...) {
    // Whoever takes it begins it again, and is told.
    begun_ = false;
  }
}

void NamespaceSource::BeginFirst(const TapPlan& tap) noexcept {
  if (!ready_) Begin(tap);
}

void NamespaceSource::Keep() {
  if (begun_ && !ready_ && worker_.IsDone()) ready_ = Finish();
}

NewNamespace NamespaceSource::Finish() {
  begun_ = false;
  worker_.Finish();
  return *std::exchange(made_, std::nullopt);
}

NewNamespace NamespaceSource::FinishOrRetry(const TapPlan& tap) {
  const bool ahead = begun_;
  try {
    Start(tap);
    return Finish();
  } catch (const Error&) {
    // What went wrong some time ago may go well now.
    if (!ahead) throw;
    Start(tap);
    return Finish();
  }
}

NewNamespace NamespaceSource::Take(const TapPlan& tap) {
  if (ready_) return *std::exchange(ready_, std::nullopt);
  NewNamespace taken = FinishOrRetry(tap);
  // Whoever comes next would have to wait, too.
  Begin(tap);
  return taken;
}

}  // namespace vulcan

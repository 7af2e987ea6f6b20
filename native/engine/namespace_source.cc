#include "engine/namespace_source.h"

#include <utility>

#include "base/error.h"
#include "sys/netns.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

// In the namespace of the calling thread.
[[nodiscard]] NewNamespace Furnish(const std::optional<TapPlan>& plan) {
  NewNamespace made{OpenCurrentNamespace(), RtnlSocket(), {}, {}};
  try {
    if (plan) {
      made.tap.emplace(plan->name, plan->owner);
    } else {
      made.tun = OpenTun();
    }
  } catch (Error& error) {
    throw error.At("tap");
  }
  return made;
}

}  // namespace

void NamespaceSource::Start(const TapPlan& tap) {
  if (begun_) return;
  const bool is_usual = tap.name == std::exchange(tap_name_, tap.name);
  const auto plan = is_usual ? std::optional(tap) : std::nullopt;
  worker_.Begin([this, plan] { made_.emplace(Furnish(plan)); });
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

NewNamespace NamespaceSource::TakeAny(const TapPlan& tap) {
  if (ready_) return *std::exchange(ready_, std::nullopt);
  NewNamespace taken = FinishOrRetry(tap);
  // Whoever comes next would have to wait, too.
  Begin(tap);
  return taken;
}

NewNamespace NamespaceSource::Take(const TapPlan& tap) {
  for (;;) {
    NewNamespace taken = TakeAny(tap);
    if (!taken.tap || taken.tap->Name() == tap.name) return taken;
  }
}

}  // namespace vulcan

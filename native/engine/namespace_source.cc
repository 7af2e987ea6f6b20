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
    Start();
  } catch (...) {
    // Whoever takes it begins it again, and is told.
    begun_ = false;
  }
}

NewNamespace NamespaceSource::Take() {
  Start();
  begun_ = false;
  worker_.Finish();
  NewNamespace taken = *std::exchange(made_, std::nullopt);
  if (wishes_.load() > 0) Begin();
  return taken;
}

void NamespaceSource::Drop() noexcept {
  if (!begun_ || wishes_.load() > 0) return;
  begun_ = false;
  try {
    worker_.Finish();
  } catch (...) {
    // There is none to let go of.
  }
  made_.reset();
}

}  // namespace vulcan

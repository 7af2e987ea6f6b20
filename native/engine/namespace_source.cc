#include "engine/namespace_source.h"

#include <utility>

#include "sys/netns.h"
#include "sys/tap.h"

namespace vulcan {

void NamespaceSource::Begin() {
  if (begun_) return;
  worker_.Begin([this] { made_.emplace(NewNamespace{OpenCurrentNamespace(), RtnlSocket(), OpenTun()}); });
  begun_ = true;
}

NewNamespace NamespaceSource::Take() {
  Begin();
  begun_ = false;
  worker_.Finish();
  NewNamespace taken = *std::exchange(made_, std::nullopt);
  Unwant();
  if (wanted_.load() > 0) Begin();
  return taken;
}

}  // namespace vulcan

#pragma once

#include <napi.h>

#include "sys/anchor.h"

namespace vulcan::addon {

// Its `container` is null for the VM's own id.
[[nodiscard]] Napi::Object AnchorStateToJs(Napi::Env env, const AnchorState& state);

}  // namespace vulcan::addon

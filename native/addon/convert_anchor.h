#pragma once

#include <napi.h>

#include "sys/anchor.h"

namespace vulcan::addon {

[[nodiscard]] Napi::Object AnchorStateToJs(Napi::Env env, const AnchorState& state);

}  // namespace vulcan::addon

#pragma once

#include <napi.h>

#include "sys/anchor.h"

namespace vulcan::addon {

// Null for the VM's own id.
[[nodiscard]] Napi::Value ContainerToJs(Napi::Env env, const std::string& container);

[[nodiscard]] Napi::Object AnchorStateToJs(Napi::Env env, const AnchorState& state);

}  // namespace vulcan::addon

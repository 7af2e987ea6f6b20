#pragma once

#include <napi.h>

#include "netlink/link.h"

namespace vulcan::addon {

[[nodiscard]] Napi::Object LinkToJs(Napi::Env env, const Link& link);

}  // namespace vulcan::addon

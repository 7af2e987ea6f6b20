#pragma once

#include "plugin/config.h"
#include "plugin/result.h"

namespace vulcan::plugin {

// prevResult, for commands that can't do without it.
[[nodiscard]] Result NeedPreviousResult(const Config& config);

}  // namespace vulcan::plugin

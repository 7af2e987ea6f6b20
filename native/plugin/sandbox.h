#pragma once

#include <optional>

#include "base/unique_fd.h"
#include "plugin/environment.h"

namespace vulcan::plugin {

// Opens CNI_NETNS; empty when there is nothing at that path. Throws a PluginError when it is no network
// namespace, or the plugin's own: everything that is done there would be done to the host.
[[nodiscard]] std::optional<UniqueFd> OpenSandbox(const Environment& environment);

// The same for commands that can't do without it.
[[nodiscard]] UniqueFd NeedSandbox(const Environment& environment);

}  // namespace vulcan::plugin

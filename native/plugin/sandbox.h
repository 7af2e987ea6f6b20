#pragma once

#include "plugin/environment.h"

namespace vulcan::plugin {

// Moves this process into CNI_NETNS, for good; false when there is nothing at that path. Throws a PluginError
// when it is no network namespace, or the plugin's own: everything that is done there would be done to the
// host.
[[nodiscard]] bool EnterSandbox(const Environment& environment);

// The same for commands that can't do without it.
void NeedSandbox(const Environment& environment);

}  // namespace vulcan::plugin

#pragma once

#include "plugin/config.h"
#include "plugin/environment.h"

namespace vulcan::plugin {

// CNI's commands. Each throws a PluginError or an Error when it fails.

// Prints the result. A failure undoes what was done, also when the result can't be printed.
void Add(const Environment& environment, const Config& config);
void Check(const Environment& environment, const Config& config);
// Nothing that is missing is an error: not the namespace, not the link, not the TAP, not a usable prevResult.
void Del(const Environment& environment, const Config& config);
void Status();

}  // namespace vulcan::plugin

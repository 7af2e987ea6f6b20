#pragma once

#include <string>

#include "plugin/config.h"

namespace vulcan::plugin {

// Throws a PluginError when the configuration's version is not one that this plugin speaks, or does not know
// the command: CHECK came with 0.4.0, GC and STATUS with 1.1.0.
void CheckVersion(const Config& config, const std::string& command);

}  // namespace vulcan::plugin

#pragma once

#include <string>

namespace vulcan::plugin {

// CNI's rules; each throws a PluginError.
void ValidateContainerId(const std::string& id);
void ValidateNetworkName(const std::string& name);
void ValidateInterfaceName(const std::string& name);

}  // namespace vulcan::plugin

#pragma once

#include <string>
#include <vector>

#include "plugin/result.h"

namespace vulcan::plugin {

// Names of a result's interfaces in a sandbox. A VM's end of its TAP is in the sandbox of the container's id,
// by the TAP's name.
[[nodiscard]] std::vector<std::string> InterfacesIn(const Result& result, const std::string& sandbox);

// Adds the TAP and the VM's end of it, which has the redirected link's MAC and a copy of each of its
// addresses.
struct VmInterface {
  std::string tap;
  std::string mac;
  // The redirected link.
  std::string ifname;
  std::string netns;
  std::string container_id;
};
void AppendVmInterface(Result& result, const VmInterface& vm);

}  // namespace vulcan::plugin

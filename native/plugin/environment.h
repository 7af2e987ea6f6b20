#pragma once

#include <string>

namespace vulcan::plugin {

// The parameters of one invocation: CNI_COMMAND and the others.
struct Environment {
  std::string command;
  std::string container_id;
  // As the runtime wrote it: results name the sandbox by the same text.
  std::string netns;
  std::string ifname;
  std::string args;
  // CNI_NETNS_OVERRIDE: the namespace may be the plugin's own.
  bool netns_override = false;
};

// Empty when it is not set, as for CNI.
[[nodiscard]] std::string EnvironmentVariable(const char* name);

// Throws a PluginError that names every variable which the command needs and lacks, or the first invalid one.
[[nodiscard]] Environment ReadEnvironment();

}  // namespace vulcan::plugin

#include "engine/redirect.h"
#include "plugin/commands.h"
#include "plugin/plugin_error.h"
#include "plugin/previous_result.h"
#include "plugin/sandbox.h"
#include "plugin/vm_interface.h"

namespace vulcan::plugin {
namespace {

// What prevResult can tell; without it, the filters do.
std::vector<std::string> NamedTaps(const Environment& environment, const Config& config) {
  if (!config.prev_result) return {};
  try {
    return InterfacesIn(ParseResult(*config.prev_result), environment.container_id);
  } catch (const PluginError&) {
    return {};
  }
}

}  // namespace

void Del(const Environment& environment, const Config& config) {
  // All that was made lived in the namespace.
  if (!EnterSandbox(environment)) return;
  const auto failures = RemoveRedirect(environment.ifname, NamedTaps(environment, config));
  if (failures.empty()) return;
  std::string message = std::to_string(failures.size()) + " steps failed:";
  for (const Error& failure : failures) message += std::string("\n\t* ") + failure.what();
  throw PluginError(Code::kInternal, message);
}

}  // namespace vulcan::plugin

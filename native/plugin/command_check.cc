#include <algorithm>

#include "engine/redirect.h"
#include "plugin/commands.h"
#include "plugin/plugin_error.h"
#include "plugin/previous_result.h"
#include "plugin/sandbox.h"
#include "plugin/tap_arguments.h"
#include "plugin/vm_interface.h"

namespace vulcan::plugin {
namespace {

PluginError NoDevice(const std::string& name) {
  return {Code::kInternal, "did not find expected network device with name " + Quote(name)};
}

// The VM's interface, and the TAP of the same name in the sandbox.
std::string TapOf(const Result& result, const Environment& environment) {
  const auto names = InterfacesIn(result, environment.container_id);
  if (names.empty()) throw NoDevice("pseudo-device for " + environment.container_id);
  if (names.size() > 1) {
    throw PluginError(Code::kInternal, "expected to find at most 1 interface in sandbox " +
                                           Quote(environment.container_id) + ", but instead found " +
                                           std::to_string(names.size()));
  }
  const auto devices = InterfacesIn(result, environment.netns);
  if (std::find(devices.begin(), devices.end(), names.front()) == devices.end())
    throw NoDevice(names.front());
  return names.front();
}

std::string Describe(const RedirectFault& fault) {
  switch (fault.kind) {
    case RedirectFault::Kind::kNoLink:
      return NoDevice(fault.device).what();
    case RedirectFault::Kind::kNoQdisc:
      return "did not find expected Qdisc on device " + Quote(fault.device);
    case RedirectFault::Kind::kNoFilter:
      return "did not find expected filter on device " + Quote(fault.device);
  }
  return {};
}

}  // namespace

void Check(const Environment& environment, const Config& config) {
  static_cast<void>(ParseTapArguments(environment.args));
  const Result result = NeedPreviousResult(config);
  NeedSandbox(environment);
  const std::string tap = TapOf(result, environment);
  const auto fault = CheckRedirect(environment.ifname, tap);
  if (fault) throw PluginError(Code::kInternal, Describe(*fault));
}

}  // namespace vulcan::plugin

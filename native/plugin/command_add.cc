#include <cerrno>

#include "engine/redirect.h"
#include "plugin/commands.h"
#include "plugin/output.h"
#include "plugin/plugin_error.h"
#include "plugin/previous_result.h"
#include "plugin/sandbox.h"
#include "plugin/tap_arguments.h"
#include "plugin/vm_interface.h"

namespace vulcan::plugin {
namespace {

RedirectState Redirect(const RedirectPlan& plan) {
  try {
    return AddRedirect(plan);
  } catch (const Error& error) {
    if (error.Errnum() != ENODEV || error.GetPath() != plan.link) {
      throw FromError(error, "failed to redirect " + Quote(plan.link) + " to a TAP: ");
    }
    throw PluginError(Code::kInternal, "failed to find redirect interface " + Quote(plan.link) +
                                           ": did not find expected network device with name " +
                                           Quote(plan.link));
  }
}

}  // namespace

void Add(const Environment& environment, const Config& config) {
  const TapArguments arguments = ParseTapArguments(environment.args);
  Result result = NeedPreviousResult(config);
  NeedSandbox(environment);

  const RedirectState state = Redirect({environment.ifname, arguments.name, arguments.owner});
  try {
    AppendVmInterface(
        result, {state.tap, state.mac, environment.ifname, environment.netns, environment.container_id});
    Print(FormatResult(result, config.version));
  } catch (Error& error) {
    for (const Error& failed : RemoveRedirect(environment.ifname, {state.tap})) error.UndoFailed(failed);
    throw;
  }
}

}  // namespace vulcan::plugin

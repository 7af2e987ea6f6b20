#include "plugin/sandbox.h"

#include <sys/vfs.h>

#include <cerrno>
#include <sstream>

#include "base/error.h"
#include "plugin/json.h"
#include "plugin/plugin_error.h"
#include "sys/netns.h"

namespace vulcan::plugin {
namespace {

PluginError NotANamespace(const std::string& path, const Error& error) {
  struct statfs status {};
  std::ostringstream reason;
  if (error.GetReason() == Reason::kNotANamespace && ::statfs(path.c_str(), &status) == 0) {
    reason << "unknown FS magic on " << Quote(path) << ": " << std::hex << status.f_type;
  } else {
    reason << error.what();
  }
  return {Code::kInternal, "failed to open netns at path " + Quote(path) + ": " + reason.str()};
}

}  // namespace

bool EnterSandbox(const Environment& environment) {
  UniqueFd sandbox;
  try {
    sandbox = OpenNamespace(environment.netns);
  } catch (const Error& error) {
    if (error.Errnum() == ENOENT) return false;
    throw NotANamespace(environment.netns, error);
  }
  const UniqueFd own = OpenCurrentNamespace();
  if (!environment.netns_override && IdOfNamespace(sandbox.Get()) == IdOfNamespace(own.Get())) {
    throw PluginError(Code::kInvalidNetns, "plugin's netns and netns from CNI_NETNS should not be the same");
  }
  EnterNamespace(sandbox.Get());
  return true;
}

void NeedSandbox(const Environment& environment) {
  if (EnterSandbox(environment)) return;
  throw PluginError(Code::kInternal, "netns path " + Quote(environment.netns) + " does not exist");
}

}  // namespace vulcan::plugin

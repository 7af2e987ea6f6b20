#include <unistd.h>

#include "base/error.h"
#include "plugin/commands.h"
#include "plugin/plugin_error.h"

namespace vulcan::plugin {

void Status() {
  if (::access("/dev/net/tun", R_OK | W_OK) == 0) return;
  throw PluginError(Code::kUnavailable, "plugin not available", SystemError("access", "/dev/net/tun").what());
}

}  // namespace vulcan::plugin

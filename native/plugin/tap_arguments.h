#pragma once

#include <string>

#include "sys/tap.h"

namespace vulcan::plugin {

// What CNI_ARGS says about the TAP.
struct TapArguments {
  // TC_REDIRECT_TAP_NAME; empty: the kernel chooses.
  std::string name;
  // TC_REDIRECT_TAP_UID and _GID; by default the plugin's own, so that a TAP never is without an owner.
  TapOwner owner;
};

// "K=V;K2=V2". The last of several equal keys wins, a value may contain "=", other keys are ignored.
[[nodiscard]] TapArguments ParseTapArguments(const std::string& args);

}  // namespace vulcan::plugin

#include "addon/bind_sys.h"

#include <string>

#include "addon/bind.h"
#include "addon/task.h"
#include "sys/capabilities.h"
#include "sys/sysctl.h"

namespace vulcan::addon {
namespace {

struct SysctlPlan {
  std::string key;
  std::string value;
};

}  // namespace

void BindSys(Napi::Object exports, Module& module) {
  BindLocks(exports, module);
  BindAnchors(exports, module);
  BindFiles(exports, module);
  BindExec(exports, module);

  Export(
      exports, module, "sysctlRead", LaneName::kControl,
      [](const Fields& plan) { return plan.String("key"); },
      [](const std::string& key, const Cancellation&) { return ReadSysctl(key); });
  Export(
      exports, module, "sysctlWrite", LaneName::kControl,
      [](const Fields& plan) {
        return SysctlPlan{plan.String("key"), plan.String("value")};
      },
      [](const SysctlPlan& plan, const Cancellation&) { return WriteSysctl(plan.key, plan.value); });
  Export(
      exports, module, "capabilities", LaneName::kControl, [](const Fields&) { return std::monostate{}; },
      [](std::monostate, const Cancellation&) { return EffectiveCapabilities(); });
}

}  // namespace vulcan::addon

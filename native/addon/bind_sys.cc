#include "addon/bind_sys.h"

#include <string>

#include "addon/bind.h"
#include "addon/task.h"
#include "sys/capabilities.h"
#include "sys/descriptors.h"
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
  Export(
      exports, module, "descriptorLimit", LaneName::kControl, [](const Fields&) { return std::monostate{}; },
      [](std::monostate, const Cancellation&) { return ReadDescriptorLimit(); },
      [](Napi::Env env, const DescriptorLimit& limit) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("most", static_cast<double>(limit.most));
        object.Set("kept", static_cast<double>(limit.kept));
        return object;
      });
}

}  // namespace vulcan::addon

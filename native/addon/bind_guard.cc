#include <vector>

#include "addon/bind.h"
#include "addon/convert_network.h"
#include "addon/task.h"
#include "engine/guard.h"

namespace vulcan::addon {

void BindGuard(Napi::Object exports, Module& module) {
  AttachmentHost& host = module.Attachments();
  const auto no_plan = [](const Fields&) { return std::monostate{}; };
  Export(
      exports, module, "guardEnsure", LaneName::kControl,
      [](const Fields& fields) { return fields.OptionalBool("routed").value_or(false); },
      [](bool routed, const Cancellation& cancellation) { return guard::Ensure(routed, cancellation); });
  Export(
      exports, module, "guardCheck", LaneName::kScan,
      [](const Fields& fields) { return fields.OptionalBool("routed").value_or(false); }, guard::Check);
  Export(exports, module, "guardAdd", LaneName::kControl, ParseGuardedPort,
         [&host](const guard::Port& port, const Cancellation& cancellation) {
           guard::Add(host.Nft(), port, cancellation);
         });
  Export(exports, module, "guardRemove", LaneName::kControl, ParseGuardedPort,
         [&host](const guard::Port& port, const Cancellation&) { guard::Remove(host.Nft(), port); });
  Export(
      exports, module, "guardList", LaneName::kControl, no_plan,
      [](std::monostate, const Cancellation&) { return guard::List(); },
      [](Napi::Env env, const std::vector<guard::Port>& ports) {
        return ToArray(env, ports, GuardedPortToJs);
      });
  Export(exports, module, "guardRemoveUnused", LaneName::kControl, no_plan,
         [](std::monostate, const Cancellation& cancellation) { return guard::RemoveUnused(cancellation); });
}

}  // namespace vulcan::addon

#include "addon/bind.h"
#include "addon/convert_network.h"
#include "addon/task.h"
#include "engine/guard.h"

namespace vulcan::addon {

namespace {

Napi::Value PortsToJs(Napi::Env env, const std::vector<guard::Port>& ports) {
  return ToArray(env, ports, [](Napi::Env e, const guard::Port& port) {
    Napi::Object object = Napi::Object::New(e);
    object.Set("link", port.link);
    object.Set("bindings", ToArray(e, port.bindings, [](Napi::Env inner, const guard::Binding& binding) {
                 Napi::Object pair = Napi::Object::New(inner);
                 pair.Set("mac", FormatMac(binding.mac));
                 pair.Set("ip", binding.address.ToString());
                 return pair;
               }));
    return object;
  });
}

}  // namespace

void BindGuard(Napi::Object exports, Module& module) {
  AttachmentHost& host = module.Attachments();
  const auto no_plan = [](const Fields&) { return std::monostate{}; };
  Export(exports, module, "guardEnsure", LaneName::kControl, no_plan,
         [](std::monostate, const Cancellation& cancellation) { return guard::Ensure(cancellation); });
  Export(exports, module, "guardAdd", LaneName::kControl, ParseGuardedPort,
         [&host](const guard::Port& port, const Cancellation& cancellation) {
           guard::Add(host.Nft(), port, cancellation);
         });
  Export(exports, module, "guardRemove", LaneName::kControl, ParseGuardedPort,
         [&host](const guard::Port& port, const Cancellation&) { guard::Remove(host.Nft(), port); });
  Export(
      exports, module, "guardList", LaneName::kControl, no_plan,
      [](std::monostate, const Cancellation&) { return guard::List(); }, PortsToJs);
  Export(exports, module, "guardRemoveUnused", LaneName::kControl, no_plan,
         [](std::monostate, const Cancellation& cancellation) { return guard::RemoveUnused(cancellation); });
}

}  // namespace vulcan::addon

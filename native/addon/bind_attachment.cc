#include <cerrno>
#include <memory>
#include <variant>

#include "addon/bind.h"
#include "addon/convert_attachment.h"
#include "addon/convert_network.h"
#include "addon/task.h"
#include "engine/attach.h"
#include "engine/detach.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] Fields OnlyInterface(const Fields& plan) {
  const auto interfaces = plan.Objects("interfaces");
  if (interfaces.size() != 1) plan.Fail("interfaces", "an array of one interface");
  return interfaces.front();
}

[[nodiscard]] AttachPlan ParseAttachPlan(const Fields& fields) {
  AttachPlan plan;
  plan.locks = ParseLocks(Nested(fields, "locks"));
  plan.firewall = ParseFirewallNeed(fields);
  plan.anchor = ParseFileName(Nested(fields, "anchor"));
  const Fields interface = OnlyInterface(fields);
  plan.addresses = ParseAddressPlan(Nested(interface, "addresses"));
  plan.interface = ParseInterface(interface, plan.addresses);
  const Fields record = Nested(interface, "record");
  plan.record = ParseFileName(record);
  plan.record_text = ParseRecordText(record, plan.addresses);
  return plan;
}

[[nodiscard]] DetachPlan ParseDetachPlan(const Fields& fields) {
  DetachPlan plan;
  plan.locks = ParseLocks(Nested(fields, "locks"));
  if (const auto anchor = fields.OptionalObject("anchor")) plan.anchor = ParseFileName(*anchor);
  plan.together = fields.OptionalBool("together").value_or(false);
  const Fields interface = OnlyInterface(fields);
  if (const auto link = interface.OptionalObject("hostLink")) {
    plan.link = HostLink{link->String("name"), link->OptionalString("alias"),
                         link->OptionalBool("routed").value_or(false)};
  }
  if (const auto guard = interface.OptionalObject("guard")) plan.guard = ParseGuardedPort(*guard);
  if (const auto addresses = interface.OptionalObject("addresses")) {
    plan.addresses = ReleasePlan{addresses->String("directory"), addresses->String("owner"), std::nullopt};
    if (!IsNull(*addresses, "ips")) plan.addresses->addresses = ParseAddresses(*addresses, "ips");
  }
  if (interface.Has("hostRoutes")) plan.host_routes = ParseAddresses(interface, "hostRoutes");
  if (const auto record = interface.OptionalObject("record")) {
    plan.record = ParseFileName(*record);
    if (const auto version = record->OptionalObject("version")) plan.record_version = ParseVersion(*version);
  }
  return plan;
}

[[nodiscard]] Napi::Value AttachResultToJs(Napi::Env env, const AttachResult& result) {
  Napi::Object interface = Napi::Object::New(env);
  interface.Set("addresses", ReservedToJs(env, result.addresses));
  interface.Set("record", VersionToJs(env, result.record));
  Napi::Array interfaces = Napi::Array::New(env, 1);
  interfaces.Set(0U, interface);
  Napi::Object object = Napi::Object::New(env);
  object.Set("netns", NamespaceToJs(env, result.netns));
  object.Set("interfaces", interfaces);
  object.Set("steps", StepsToJs(env, result.steps));
  return object;
}

[[nodiscard]] Napi::Value DetachResultToJs(Napi::Env env, const DetachResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("stale", result.stale);
  object.Set("cut", result.cut);
  object.Set("steps", StepsToJs(env, result.steps));
  object.Set("netns", result.netns ? Napi::Value(NamespaceToJs(env, *result.netns)) : env.Null());
  object.Set("errors", ToJs(env, result.errors));
  return object;
}

}  // namespace

void BindAttachment(Napi::Object exports, Module& module) {
  AttachmentHost& host = module.Attachments();
  Export(
      exports, module, "attach", LaneName::kControl,
      [&host](const Fields& fields) { return std::make_unique<Attach>(ParseAttachPlan(fields), host); },
      [](const std::unique_ptr<Attach>& attach, const Cancellation& cancellation) {
        return attach->Step(cancellation);
      },
      AttachResultToJs);
  Export(
      exports, module, "detach", LaneName::kControl,
      [&host](const Fields& fields) { return std::make_unique<Detach>(ParseDetachPlan(fields), host); },
      [](const std::unique_ptr<Detach>& detach, const Cancellation& cancellation) {
        return detach->Step(cancellation);
      },
      DetachResultToJs);
  Export(
      exports, module, "namespacesPart", LaneName::kControl, [](const Fields&) { return std::monostate{}; },
      [&host](std::monostate, const Cancellation&) { host.Parting().Release(); });
}

}  // namespace vulcan::addon

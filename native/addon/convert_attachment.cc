#include "addon/convert_attachment.h"

#include <algorithm>
#include <chrono>

#include "addon/convert_network.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] std::variant<BridgePort, RoutedPort> ParsePort(const Fields& fields) {
  if (fields.Has("routed")) {
    return RoutedPort{fields.Integer<std::uint32_t>("group"),
                      fields.OptionalBool("proxyArp").value_or(false)};
  }
  return BridgePort{
      {fields.OptionalBool("hairpin").value_or(false), fields.OptionalBool("isolated").value_or(false)},
      fields.OptionalBool("hostRoutes").value_or(false)};
}

[[nodiscard]] RoutePlan ParseRoute(const Fields& fields, const AddressPlan& addresses) {
  const auto destination = IpPrefix::Parse(fields.String("destination"));
  if (!destination) fields.Fail("destination", "a prefix");
  RoutePlan route{*destination, std::monostate{}};
  if (fields.Get("gateway").IsObject()) {
    route.gateway = ParseGatewayOf(Nested(fields, "gateway"), addresses);
  } else if (!IsNull(fields, "gateway")) {
    route.gateway = ParseAddress(fields, "gateway");
  }
  return route;
}

[[nodiscard]] RecordText::value_type ParseStandIn(const Fields& fields, const AddressPlan& addresses) {
  const auto name = fields.OptionalString("nameOf");
  if (!name) return ParseGatewayOf(fields, addresses);
  if (*name == "vmId") return VmName::kVm;
  if (*name == "containerId") return VmName::kContainer;
  fields.Fail("nameOf", "vmId or containerId");
}

}  // namespace

AttachmentLocks ParseLocks(const Fields& fields) {
  return {fields.String("directory"), fields.String("vm"), fields.OptionalString("container").value_or(""),
          fields.OptionalString("network"),
          std::chrono::milliseconds(fields.Integer<std::uint32_t>("timeoutMs"))};
}

std::optional<firewall::Need> ParseFirewallNeed(const Fields& fields) {
  const auto need = fields.OptionalObject("firewall");
  if (!need) return std::nullopt;
  return firewall::Need{need->Integer<std::uint64_t>("table"), need->String("network")};
}

FileName ParseFileName(const Fields& fields) { return {fields.String("directory"), fields.String("name")}; }

GatewayOf ParseGatewayOf(const Fields& fields, const AddressPlan& addresses) {
  const auto request = fields.Integer<std::uint32_t>("gatewayOf");
  const auto has_gateway = [](const AddressRange& range) { return range.gateway.has_value(); };
  if (request >= addresses.requests.size() ||
      !std::ranges::all_of(addresses.requests[request].set.ranges, has_gateway)) {
    fields.Fail("gatewayOf", "the number of a request whose ranges have gateways");
  }
  return {request};
}

RecordText ParseRecordText(const Fields& record, const AddressPlan& addresses) {
  const Napi::Value value = record.Get("text");
  if (!value.IsArray()) record.Fail("text", "an array");
  const auto array = value.As<Napi::Array>();
  RecordText text;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value piece = array.Get(i);
    if (piece.IsString()) {
      text.emplace_back(piece.As<Napi::String>().Utf8Value());
    } else if (piece.IsNumber() && piece.As<Napi::Number>().Uint32Value() < addresses.requests.size()) {
      text.emplace_back(AddressOf{piece.As<Napi::Number>().Uint32Value()});
    } else if (piece.IsObject()) {
      text.push_back(ParseStandIn(Fields(piece.As<Napi::Object>()), addresses));
    } else {
      record.Fail("text", "an array of strings, numbers of requests, their gateways, and names");
    }
  }
  return text;
}

InterfacePlan ParseInterface(const Fields& fields, const AddressPlan& addresses) {
  InterfacePlan plan;
  plan.bridge = fields.String("bridge");
  plan.bridge_up = fields.OptionalBool("bridgeUp").value_or(false);
  plan.port = ParsePort(Nested(fields, "port"));
  plan.host_link = fields.String("hostLink");
  plan.alias = fields.String("alias");
  plan.host_mac = ParseMacAddress(fields, "hostMac");
  plan.name = fields.String("name");
  plan.mac = ParseMacAddress(fields, "mac");
  plan.mtu = fields.Integer<std::uint32_t>("mtu");
  const Fields tap = Nested(fields, "tap");
  plan.tap = tap.String("name");
  plan.tap_owner = {tap.Integer<uid_t>("uid"), tap.Integer<gid_t>("gid")};
  for (const Fields& route : fields.Objects("routes")) {
    plan.routes.push_back(ParseRoute(route, addresses));
  }
  const auto guard = fields.OptionalObject("guard");
  plan.guarded = guard.has_value();
  if (guard) plan.guard_addresses = ParseAddresses(*guard, "addresses");
  return plan;
}

FileVersion ParseVersion(const Fields& fields) {
  return {static_cast<std::uint64_t>(fields.Number("inode")), fields.Number("modifiedMs")};
}

Napi::Object VersionToJs(Napi::Env env, const FileVersion& version) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inode", static_cast<double>(version.inode));
  object.Set("modifiedMs", version.modified_ms);
  return object;
}

Napi::Object StepsToJs(Napi::Env env, const std::vector<StepTime>& steps) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [step, took] : steps) {
    object.Set(step, std::chrono::duration<double, std::milli>(took).count());
  }
  return object;
}

}  // namespace vulcan::addon

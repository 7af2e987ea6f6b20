#include <cerrno>

#include "addon/bind.h"
#include "addon/task.h"
#include "engine/bridge.h"

namespace vulcan::addon {
namespace {

BridgePlan ParseBridgePlan(const Fields& fields) {
  BridgePlan plan;
  plan.name = fields.String("name");
  plan.mtu = fields.Integer<std::uint32_t>("mtu");
  plan.ipv6 = fields.Bool("ipv6");
  plan.promiscuous = fields.OptionalBool("promiscuous").value_or(false);
  plan.proxy_arp = fields.OptionalBool("proxyArp").value_or(false);
  plan.bare = fields.OptionalBool("bare").value_or(false);
  const auto mac = ParseMac(fields.String("mac"));
  if (!mac) throw Napi::TypeError::New(fields.Get("mac").Env(), "mac must be a MAC address");
  plan.mac = *mac;
  for (const std::string& text : fields.Strings("addresses")) {
    const auto prefix = IpPrefix::Parse(text);
    if (!prefix)
      throw Napi::TypeError::New(fields.Get("addresses").Env(), "addresses must hold CIDR addresses");
    plan.addresses.push_back(*prefix);
  }
  return plan;
}

Napi::Value BridgeStateToJs(Napi::Env env, const BridgeState& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("created", state.created);
  object.Set("mac", state.mac);
  object.Set("mtu", state.mtu);
  return object;
}

}  // namespace

void BindEngine(Napi::Object exports, Module& module) {
  Export(exports, module, "bridgeEnsure", LaneName::kControl, ParseBridgePlan, EnsureBridge, BridgeStateToJs);
}

}  // namespace vulcan::addon

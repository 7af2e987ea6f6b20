#include "addon/bind.h"
#include "addon/task.h"
#include "engine/firewall.h"
#include "engine/firewall_need.h"
#include "engine/foreign_chains.h"
#include "engine/probe.h"

namespace vulcan::addon {
namespace {

firewall::Network ParseNetwork(const Fields& fields) {
  firewall::Network network;
  network.name = fields.String("network");
  network.bridges = fields.Strings("bridges");
  network.group = fields.OptionalInteger<std::uint32_t>("group");
  network.subnets = fields.Strings("subnets");
  network.gateways = fields.Strings("gateways");
  network.masquerade = fields.Bool("masquerade");
  network.allow_link_local = fields.Bool("allowLinkLocal");
  network.ipv6 = fields.Bool("ipv6");
  network.isolated = fields.Bool("isolated");
  network.host_open = fields.Get("hostAccess").IsString();
  if (network.host_open) return network;
  for (const Fields& service : fields.Objects("hostAccess")) {
    network.services.push_back(
        {service.Integer<std::uint8_t>("protocol"), service.Integer<std::uint16_t>("port")});
  }
  return network;
}

Napi::Object ForeignChainToJs(Napi::Env env, const ForeignChain& chain) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("family", chain.family);
  object.Set("table", chain.table);
  object.Set("chain", chain.chain);
  object.Set("hook", chain.hook);
  object.Set("drops", chain.drops);
  object.Set("bridged", chain.bridged);
  object.Set("dockerUser", chain.docker_user);
  return object;
}

Napi::Array ForeignChainsToJs(Napi::Env env, const std::vector<ForeignChain>& chains) {
  return ToArray(env, chains, ForeignChainToJs);
}

Napi::Object ProbeResultToJs(Napi::Env env, const ProbeResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("feature", result.feature);
  object.Set("ok", result.ok);
  object.Set("error", TextOrNull(env, result.error));
  object.Set("syscall", TextOrNull(env, result.syscall));
  return object;
}

struct Required {
  firewall::Need need;
  std::vector<firewall::Entrance> entrances;
};

void BindFirewall(Napi::Object exports, Module& module) {
  Export(exports, module, "firewallEnsure", LaneName::kControl, ParseNetwork,
         [](const firewall::Network& network, const Cancellation& cancellation) {
           return static_cast<double>(firewall::Ensure(network, cancellation));
         });
  AttachmentHost& host = module.Attachments();
  Export(
      exports, module, "firewallRequire", LaneName::kControl,
      [](const Fields& fields) {
        std::vector<firewall::Entrance> entrances;
        for (std::string& bridge : fields.Strings("bridges")) entrances.emplace_back(std::move(bridge));
        const auto group = fields.OptionalInteger<std::uint32_t>("group");
        if (group) entrances.emplace_back(*group);
        return Required{{fields.Integer<std::uint64_t>("table"), fields.String("network")},
                        std::move(entrances)};
      },
      [&host](const Required& plan, const Cancellation&) {
        firewall::Require(host.Nft(), plan.need, plan.entrances);
      });
  Export(exports, module, "firewallCheck", LaneName::kScan, ParseNetwork, firewall::Check);
  Export(
      exports, module, "firewallRemove", LaneName::kControl,
      [](const Fields& fields) { return fields.String("network"); }, firewall::Remove);
  Export(
      exports, module, "firewallList", LaneName::kControl, [](const Fields&) { return std::monostate{}; },
      [](std::monostate, const Cancellation& cancellation) { return firewall::List(cancellation); });
}

}  // namespace

void BindNft(Napi::Object exports, Module& module) {
  BindFirewall(exports, module);
  const auto no_plan = [](const Fields&) { return std::monostate{}; };
  Export(
      exports, module, "foreignChains", LaneName::kControl, no_plan,
      [](std::monostate, const Cancellation&) { return ListForeignChains(); }, ForeignChainsToJs);
  Export(
      exports, module, "legacyForeignChains", LaneName::kControl, no_plan,
      [](std::monostate, const Cancellation&) { return ListLegacyForeignChains(); }, ForeignChainsToJs);
  Export(
      exports, module, "probe", LaneName::kNamespace, no_plan,
      [](std::monostate, const Cancellation&) { return Probe(); },
      [](Napi::Env env, const std::vector<ProbeResult>& results) {
        return ToArray(env, results, ProbeResultToJs);
      });
}

}  // namespace vulcan::addon

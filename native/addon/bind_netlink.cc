#include <arpa/inet.h>

#include "addon/bind.h"
#include "addon/convert_link.h"
#include "addon/convert_network.h"
#include "addon/task.h"
#include "engine/dump.h"
#include "engine/host_routes.h"
#include "engine/link_plan.h"

namespace vulcan::addon {
namespace {

DumpPlan ParseDumpPlan(const Fields& fields) {
  DumpPlan plan;
  plan.netns = fields.OptionalString("netns");
  for (const std::string& kind : fields.Strings("kinds")) {
    plan.links |= kind == "links";
    plan.addresses |= kind == "addresses";
    plan.routes |= kind == "routes";
    plan.qdiscs |= kind == "qdiscs";
    plan.filters |= kind == "filters";
  }
  return plan;
}

double FamilyNumber(int family) { return family == AF_INET ? 4 : 6; }

}  // namespace

Napi::Object LinkToJs(Napi::Env env, const Link& link) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("index", link.index);
  object.Set("name", link.name);
  object.Set("kind", link.kind);
  object.Set("mac", link.mac);
  object.Set("mtu", link.mtu);
  object.Set("up", link.up);
  object.Set("lowerUp", link.lower_up);
  object.Set("master", link.master);
  object.Set("peer", link.peer);
  object.Set("alias", link.alias);
  object.Set("group", static_cast<double>(link.group));
  object.Set("portState", link.port_state);
  object.Set("dormant", link.dormant);
  object.Set("rising", link.rising);
  object.Set("hairpin", link.hairpin);
  object.Set("isolated", link.isolated);
  object.Set("guestPort", link.guest_port);
  object.Set("tapUid", static_cast<double>(link.tap_uid));
  object.Set("tapGid", static_cast<double>(link.tap_gid));
  return object;
}

namespace {

Napi::Object AddressToJs(Napi::Env env, const LinkAddress& address) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("link", address.link);
  object.Set("family", FamilyNumber(address.prefix.address.Family()));
  object.Set("ip", address.prefix.address.ToString());
  object.Set("prefixLength", address.prefix.length);
  object.Set("scope", address.scope);
  return object;
}

Napi::Object RouteToJs(Napi::Env env, const Route& route) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("family", FamilyNumber(route.destination.address.Family()));
  object.Set("destination", route.destination.ToString());
  object.Set("gateway", route.gateway ? ToJs(env, route.gateway->ToString()) : env.Null());
  object.Set("link", route.link);
  object.Set("table", route.table);
  object.Set("protocol", route.protocol);
  object.Set("type", route.type);
  object.Set("metric", route.metric);
  return object;
}

Napi::Object QdiscToJs(Napi::Env env, const Qdisc& qdisc) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("link", qdisc.link);
  object.Set("kind", qdisc.kind);
  object.Set("handle", qdisc.handle);
  object.Set("parent", qdisc.parent);
  return object;
}

Napi::Object FilterToJs(Napi::Env env, const Filter& filter) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("link", filter.link);
  object.Set("kind", filter.kind);
  object.Set("parent", filter.parent);
  object.Set("priority", filter.priority);
  object.Set("protocol", filter.protocol);
  object.Set("redirectTo", filter.redirect_to.value_or(0));
  return object;
}

Napi::Value DumpToJs(Napi::Env env, const Dump& dump) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("links", ToArray(env, dump.links, LinkToJs));
  object.Set("addresses", ToArray(env, dump.addresses, AddressToJs));
  object.Set("routes", ToArray(env, dump.routes, RouteToJs));
  object.Set("qdiscs", ToArray(env, dump.qdiscs, QdiscToJs));
  object.Set("filters", ToArray(env, dump.filters, FilterToJs));
  return object;
}

LinkPlan ParseLinkPlan(const Fields& fields) {
  LinkPlan plan;
  plan.netns = fields.OptionalString("netns");
  plan.name = fields.String("name");
  plan.new_name = fields.OptionalString("newName");
  plan.change.up = fields.OptionalBool("up");
  plan.change.mtu = fields.OptionalInteger<std::uint32_t>("mtu");
  plan.change.alias = fields.OptionalString("alias");
  plan.change.group = fields.OptionalInteger<std::uint32_t>("group");
  const auto hairpin = fields.OptionalBool("hairpin");
  const auto isolated = fields.OptionalBool("isolated");
  if (hairpin || isolated) plan.port_options = {hairpin.value_or(false), isolated.value_or(false)};
  plan.guest_port = fields.OptionalBool("guestPort").value_or(false);
  plan.master = fields.OptionalString("master");
  plan.cut = fields.OptionalBool("cut");
  return plan;
}

HostRoutePlan ParseHostRoutePlan(const Fields& fields) {
  HostRoutePlan plan;
  const auto destination = IpPrefix::Parse(fields.String("destination"));
  if (!destination) fields.Fail("destination", "a prefix");
  plan.destination = *destination;
  plan.link = fields.OptionalString("link");
  if (fields.Has("source")) plan.source = ParseAddress(fields, "source");
  return plan;
}

}  // namespace

void BindNetlink(Napi::Object exports, Module& module) {
  Export(exports, module, "dump", LaneName::kNamespace, ParseDumpPlan, ReadDump, DumpToJs);
  Export(exports, module, "linkSet", LaneName::kControl, ParseLinkPlan,
         [](const LinkPlan& plan, const Cancellation&) { return ChangeLink(plan); });
  Export(exports, module, "linkDelete", LaneName::kControl, ParseLinkPlan,
         [](const LinkPlan& plan, const Cancellation&) {
           return DeleteLink(plan.netns, plan.name, plan.change.alias);
         });
  Export(exports, module, "hostRouteAdd", LaneName::kControl, ParseHostRoutePlan,
         [](const HostRoutePlan& plan, const Cancellation&) { return AddRoute(plan); });
  Export(exports, module, "hostRouteRemove", LaneName::kControl, ParseHostRoutePlan,
         [](const HostRoutePlan& plan, const Cancellation&) {
           RtnlSocket socket;
           return RemoveRoute(socket, plan.destination);
         });
}

}  // namespace vulcan::addon

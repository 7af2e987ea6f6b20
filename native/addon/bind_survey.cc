#include <string>
#include <vector>

#include "addon/bind.h"
#include "addon/convert_anchor.h"
#include "addon/convert_link.h"
#include "addon/convert_network.h"
#include "addon/task.h"
#include "engine/amend.h"
#include "engine/survey.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] SurveyPlan ParseSurveyPlan(const Fields& fields) {
  SurveyPlan plan{fields.String("anchors"), fields.String("prefix"), fields.String("locks"), std::nullopt};
  if (!IsNull(fields, "addresses")) plan.addresses = fields.String("addresses");
  return plan;
}

[[nodiscard]] Napi::Value SurveyToJs(Napi::Env env, const Survey& survey) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("claims", ToArray(env, survey.claims, [](Napi::Env e, const Claims::value_type& claim) {
               Napi::Object entry = Napi::Object::New(e);
               entry.Set("name", claim.first);
               entry.Set("netns",
                         claim.second.netns ? Napi::Value(NamespaceToJs(e, *claim.second.netns)) : e.Null());
               entry.Set("container", TextOrNull(e, claim.second.container));
               return entry;
             }));
  object.Set("anchors", ToArray(env, survey.anchors, [](Napi::Env e, const auto& anchor) {
               Napi::Object entry = AnchorStateToJs(e, anchor.second);
               entry.Set("name", anchor.first);
               return entry;
             }));
  object.Set("links", ToArray(env, survey.links, LinkToJs));
  object.Set("guarded", ToArray(env, survey.guarded, GuardedPortToJs));
  object.Set("addresses", ToArray(env, survey.addresses, [](Napi::Env e, const Reservation& reservation) {
               Napi::Object entry = Napi::Object::New(e);
               entry.Set("ip", reservation.address.ToString());
               entry.Set("owner", reservation.owner);
               entry.Set("ageMs", reservation.age_ms);
               return entry;
             }));
  return object;
}

[[nodiscard]] IpPrefix ParsePrefix(const Fields& fields, const char* name) {
  const auto prefix = IpPrefix::Parse(fields.String(name));
  if (!prefix) fields.Fail(name, "a prefix");
  return *prefix;
}

[[nodiscard]] LinkChange ParseChange(const Fields& fields) {
  LinkChange change;
  change.up = fields.OptionalBool("up");
  change.mtu = fields.OptionalInteger<std::uint32_t>("mtu");
  if (fields.Has("mac")) change.mac = ParseMacAddress(fields, "mac");
  return change;
}

[[nodiscard]] Amendment ParseAmendment(const Fields& fields) {
  const std::string kind = fields.String("kind");
  if (kind == "tap")
    return TapAmendment{fields.String("name"), {fields.Integer<uid_t>("uid"), fields.Integer<gid_t>("gid")}};
  if (kind == "link") return LinkAmendment{fields.String("name"), ParseChange(fields)};
  if (kind == "address") return AddressAmendment{fields.String("link"), ParsePrefix(fields, "address")};
  if (kind == "redirect") return RedirectAmendment{fields.String("from"), fields.String("to")};
  if (kind != "route") fields.Fail("kind", "a kind of amendment");
  RouteAmendment route{fields.String("link"), ParsePrefix(fields, "destination"), std::nullopt};
  if (!IsNull(fields, "gateway")) route.gateway = ParseAddress(fields, "gateway");
  return route;
}

[[nodiscard]] AmendPlan ParseAmendPlan(const Fields& fields) {
  AmendPlan plan{fields.String("netns"), {}};
  for (const Fields& amendment : fields.Objects("amendments"))
    plan.amendments.push_back(ParseAmendment(amendment));
  return plan;
}

}  // namespace

void BindSurvey(Napi::Object exports, Module& module) {
  Export(exports, module, "survey", LaneName::kScan, ParseSurveyPlan, TakeSurvey, SurveyToJs);
  Export(exports, module, "amend", LaneName::kNamespace, ParseAmendPlan, Amend,
         [](Napi::Env env, const std::vector<std::optional<Error>>& errors) { return ToJs(env, errors); });
}

}  // namespace vulcan::addon

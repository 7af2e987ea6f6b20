#pragma once

#include <optional>
#include <vector>

#include "addon/convert.h"
#include "base/step_clock.h"
#include "engine/attachment_plan.h"

namespace vulcan::addon {

// The parts of which plans of lib/native/attachment.ts are made. Each throws a TypeError that names the
// field.
[[nodiscard]] AttachmentLocks ParseLocks(const Fields& fields);
[[nodiscard]] FileName ParseFileName(const Fields& fields);
// Of the plan's field "firewall", which may be absent.
[[nodiscard]] std::optional<firewall::Need> ParseFirewallNeed(const Fields& fields);
// For whose ranges have gateways, each its own.
[[nodiscard]] GatewayOf ParseGatewayOf(const Fields& fields, const AddressPlan& addresses);
// Of the record's field "text".
[[nodiscard]] RecordText ParseRecordText(const Fields& record, const AddressPlan& addresses);
[[nodiscard]] InterfacePlan ParseInterface(const Fields& fields, const AddressPlan& addresses);

[[nodiscard]] FileVersion ParseVersion(const Fields& fields);
[[nodiscard]] Napi::Object VersionToJs(Napi::Env env, const FileVersion& version);
// Milliseconds, by step.
[[nodiscard]] Napi::Object StepsToJs(Napi::Env env, const std::vector<StepTime>& steps);

}  // namespace vulcan::addon

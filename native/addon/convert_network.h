#pragma once

#include <napi.h>

#include <vector>

#include "addon/convert.h"
#include "base/ip_address.h"
#include "engine/attachment_plan.h"
#include "engine/guard.h"
#include "netlink/mac_address.h"
#include "sys/address_store.h"
#include "sys/netns.h"

namespace vulcan::addon {

// Values that several plans have. Each throws a TypeError that names the field.
[[nodiscard]] IpAddress ParseAddress(const Fields& fields, const char* name);
[[nodiscard]] std::vector<IpAddress> ParseAddresses(const Fields& fields, const char* name);
[[nodiscard]] MacAddress ParseMacAddress(const Fields& fields, const char* name);
// Of `null` as well as of what is absent.
[[nodiscard]] bool IsNull(const Fields& fields, const char* name);
[[nodiscard]] Fields Nested(const Fields& fields, const char* name);

[[nodiscard]] AddressPlan ParseAddressPlan(const Fields& fields);
[[nodiscard]] guard::Port ParseGuardedPort(const Fields& fields);
[[nodiscard]] Napi::Object GuardedPortToJs(Napi::Env env, const guard::Port& port);

[[nodiscard]] Napi::Object NamespaceToJs(Napi::Env env, const NamespaceId& id);
[[nodiscard]] Napi::Array ReservedToJs(Napi::Env env, const std::vector<ReservedAddress>& addresses);

}  // namespace vulcan::addon

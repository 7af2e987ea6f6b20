#include "addon/convert_network.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] AddressRange ParseRange(const Fields& fields) {
  AddressRange range{ParseAddress(fields, "start"), ParseAddress(fields, "end"), std::nullopt,
                     fields.Integer("prefixLength")};
  if (!IsNull(fields, "gateway")) range.gateway = ParseAddress(fields, "gateway");
  return range;
}

[[nodiscard]] AddressRequest ParseRequest(const Fields& fields) {
  AddressRequest request;
  request.set.index = fields.Integer<unsigned>("set");
  for (const Fields& range : fields.Objects("ranges")) request.set.ranges.push_back(ParseRange(range));
  if (request.set.ranges.empty()) fields.Fail("ranges", "an array with a range");
  request.set.excluded = ParseAddresses(fields, "excluded");
  if (fields.Has("address")) request.address = ParseAddress(fields, "address");
  return request;
}

}  // namespace

IpAddress ParseAddress(const Fields& fields, const char* name) {
  const auto address = IpAddress::Parse(fields.String(name));
  if (!address) fields.Fail(name, "an IP address");
  return *address;
}

std::vector<IpAddress> ParseAddresses(const Fields& fields, const char* name) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : fields.Strings(name)) {
    const auto address = IpAddress::Parse(text);
    if (!address) fields.Fail(name, "an array of IP addresses");
    addresses.push_back(*address);
  }
  return addresses;
}

MacAddress ParseMacAddress(const Fields& fields, const char* name) {
  const auto mac = ParseMac(fields.String(name));
  if (!mac) fields.Fail(name, "a MAC address");
  return *mac;
}

bool IsNull(const Fields& fields, const char* name) {
  const Napi::Value value = fields.Get(name);
  return value.IsNull() || value.IsUndefined();
}

Fields Nested(const Fields& fields, const char* name) { return Fields::Of(fields.Get(name), name); }

AddressPlan ParseAddressPlan(const Fields& fields) {
  AddressPlan plan{fields.String("directory"), fields.String("owner"), {}};
  for (const Fields& request : fields.Objects("requests")) plan.requests.push_back(ParseRequest(request));
  return plan;
}

guard::Port ParseGuardedPort(const Fields& fields) {
  guard::Port port{fields.String("link"), {}, fields.OptionalBool("routed").value_or(false)};
  for (const Fields& binding : fields.Objects("bindings")) {
    port.bindings.push_back({ParseMacAddress(binding, "mac"), ParseAddress(binding, "ip")});
  }
  return port;
}

Napi::Object GuardedPortToJs(Napi::Env env, const guard::Port& port) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("link", port.link);
  if (port.routed) object.Set("routed", true);
  object.Set("bindings", ToArray(env, port.bindings, [](Napi::Env e, const guard::Binding& binding) {
               Napi::Object entry = Napi::Object::New(e);
               entry.Set("mac", FormatMac(binding.mac));
               entry.Set("ip", binding.address.ToString());
               return entry;
             }));
  return object;
}

Napi::Object NamespaceToJs(Napi::Env env, const NamespaceId& id) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inode", static_cast<double>(id.inode));
  object.Set("device", static_cast<double>(id.device));
  return object;
}

Napi::Array ReservedToJs(Napi::Env env, const std::vector<ReservedAddress>& addresses) {
  return ToArray(env, addresses, [](Napi::Env e, const ReservedAddress& reserved) {
    Napi::Object object = Napi::Object::New(e);
    object.Set("ip", reserved.address.ToString());
    object.Set("prefixLength", reserved.prefix_length);
    object.Set("gateway", reserved.gateway ? ToJs(e, reserved.gateway->ToString()) : e.Null());
    return object;
  });
}

}  // namespace vulcan::addon

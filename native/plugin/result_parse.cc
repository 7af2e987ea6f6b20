#include "plugin/plugin_error.h"
#include "plugin/result.h"
#include "plugin/version.h"

namespace vulcan::plugin {
namespace {

// An IPv4 address that is written as an IPv6 one means the IPv4 one.
constexpr std::string_view kMappedPrefix = "::ffff:";
constexpr int kMappedBits = 96;

std::optional<IpAddress> Unmap(const IpAddress& address) {
  const std::string text = address.ToString();
  if (address.Family() != AF_INET6 || !text.starts_with(kMappedPrefix)) return std::nullopt;
  return IpAddress::FromBytes(address.Bytes().subspan(kMappedBits / 8));
}

IpPrefix ParsePrefix(const std::string& text) {
  const auto prefix = IpPrefix::Parse(text);
  if (!prefix) throw PluginError(Code::kInternal, "invalid CIDR address: " + text);
  const auto plain = Unmap(prefix->address);
  if (plain && prefix->length >= kMappedBits) return {*plain, prefix->length - kMappedBits};
  return *prefix;
}

std::optional<IpAddress> ParseAddress(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto address = IpAddress::Parse(text);
  if (!address) throw PluginError(Code::kInternal, "invalid IP address: " + text);
  const auto plain = Unmap(*address);
  return plain ? plain : address;
}

std::optional<std::int64_t> OptionalInteger(const Json& object, const char* name) {
  const Json* value = IntegerMember(object, name);
  return value != nullptr ? std::optional(value->get<std::int64_t>()) : std::nullopt;
}

std::vector<std::string> Strings(const Json& object, const char* name) {
  std::vector<std::string> strings;
  for (const Json& element : ArrayMember(object, name)) {
    if (!element.is_string()) throw PluginError(Code::kInternal, std::string(name) + " must hold strings");
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

Interface ParseInterface(const Json& object) {
  Interface interface;
  interface.name = StringMember(object, "name");
  interface.mac = StringMember(object, "mac");
  interface.mtu = OptionalInteger(object, "mtu").value_or(0);
  interface.sandbox = StringMember(object, "sandbox");
  interface.socket_path = StringMember(object, "socketPath");
  interface.pci_id = StringMember(object, "pciID");
  return interface;
}

Ip ParseIp(const Json& object, std::size_t interfaces) {
  Ip ip;
  ip.address = ParsePrefix(StringMember(object, "address"));
  ip.gateway = ParseAddress(StringMember(object, "gateway"));
  if (const auto index = OptionalInteger(object, "interface")) {
    if (*index < 0 || static_cast<std::size_t>(*index) >= interfaces) {
      throw PluginError(Code::kInternal, "ips has an interface " + std::to_string(*index) + " of " +
                                             std::to_string(interfaces));
    }
    ip.interface = static_cast<std::size_t>(*index);
  }
  return ip;
}

Route ParseRoute(const Json& object) {
  Route route;
  route.destination = ParsePrefix(StringMember(object, "dst"));
  route.gateway = ParseAddress(StringMember(object, "gw"));
  route.mtu = OptionalInteger(object, "mtu").value_or(0);
  route.advmss = OptionalInteger(object, "advmss").value_or(0);
  route.priority = OptionalInteger(object, "priority").value_or(0);
  route.table = OptionalInteger(object, "table");
  route.scope = OptionalInteger(object, "scope");
  return route;
}

template <typename Parse>
auto ParseObjects(const Json& object, const char* name, Parse parse) {
  std::vector<decltype(parse(object))> parsed;
  for (const Json& element : ArrayMember(object, name)) {
    if (!element.is_object()) throw PluginError(Code::kInternal, std::string(name) + " must hold objects");
    parsed.push_back(parse(element));
  }
  return parsed;
}

Result Parse(const Json& object) {
  if (!object.is_object()) {
    throw PluginError(Code::kInternal, std::string("json: cannot unmarshal ") + object.type_name());
  }
  const std::string version = StringMember(object, "cniVersion");
  if (!version.empty() && !IsSupported(version)) {
    throw PluginError(Code::kInternal, "unmarshalled CNIVersion is " + Quote(version));
  }
  Result result;
  result.interfaces = ParseObjects(object, "interfaces", ParseInterface);
  result.ips =
      ParseObjects(object, "ips", [&](const Json& ip) { return ParseIp(ip, result.interfaces.size()); });
  result.routes = ParseObjects(object, "routes", ParseRoute);
  if (const Json* dns = ObjectMember(object, "dns")) {
    result.dns = {Strings(*dns, "nameservers"), StringMember(*dns, "domain"), Strings(*dns, "search"),
                  Strings(*dns, "options")};
  }
  return result;
}

}  // namespace

Result ParseResult(const Json& object) {
  try {
    return Parse(object);
  } catch (const PluginError& error) {
    throw PluginError(Code::kInternal,
                      std::string("failure parsing previous CNI result: failed to parse previous "
                                  "CNI result: could not parse prevResult: ") +
                          error.what());
  }
}

}  // namespace vulcan::plugin

#include "plugin/result.h"
#include "plugin/version.h"

namespace vulcan::plugin {
namespace {

constexpr Version kFirstWithoutIpVersion{1, 0, 0};

// AnyJson is Json, which sorts its keys, for 1.x, and OrderedJson, which keeps the order here, for 0.x.
template <typename AnyJson>
class Formatter {
 public:
  explicit Formatter(const std::string& version) : version_(version) {}

  [[nodiscard]] AnyJson Format(const Result& result) const {
    AnyJson object = {{"cniVersion", version_}};
    PutList(object, "interfaces", result.interfaces);
    PutList(object, "ips", result.ips);
    PutList(object, "routes", result.routes);
    AnyJson dns = Format(result.dns);
    if (kOld || !dns.empty()) object["dns"] = std::move(dns);
    return object;
  }

 private:
  static constexpr bool kOld = std::is_same_v<AnyJson, OrderedJson>;

  template <typename Value>
  void PutList(AnyJson& object, const char* name, const std::vector<Value>& values) const {
    for (const Value& value : values) object[name].push_back(Format(value));
  }

  template <typename Value>
  static void PutUnlessEmpty(AnyJson& object, const char* name, const Value& value) {
    if (value != Value{}) object[name] = value;
  }

  static void PutAddress(AnyJson& object, const char* name, const std::optional<IpAddress>& address) {
    if (address) object[name] = address->ToString();
  }

  [[nodiscard]] AnyJson Format(const Interface& interface) const {
    AnyJson object = {{"name", interface.name}};
    PutUnlessEmpty(object, "mac", interface.mac);
    if (!kOld) PutUnlessEmpty(object, "mtu", interface.mtu);
    PutUnlessEmpty(object, "sandbox", interface.sandbox);
    if (!kOld) PutUnlessEmpty(object, "socketPath", interface.socket_path);
    if (!kOld) PutUnlessEmpty(object, "pciID", interface.pci_id);
    return object;
  }

  [[nodiscard]] AnyJson Format(const Ip& ip) const {
    AnyJson object = AnyJson::object();
    if (kOld) object["version"] = ip.address.address.Family() == AF_INET ? "4" : "6";
    if (ip.interface) object["interface"] = *ip.interface;
    object["address"] = ip.address.ToString();
    PutAddress(object, "gateway", ip.gateway);
    return object;
  }

  [[nodiscard]] AnyJson Format(const Route& route) const {
    AnyJson object = {{"dst", route.destination.ToString()}};
    PutAddress(object, "gw", route.gateway);
    PutUnlessEmpty(object, "mtu", route.mtu);
    PutUnlessEmpty(object, "advmss", route.advmss);
    PutUnlessEmpty(object, "priority", route.priority);
    if (route.table) object["table"] = *route.table;
    if (route.scope) object["scope"] = *route.scope;
    return object;
  }

  [[nodiscard]] AnyJson Format(const Dns& dns) const {
    AnyJson object = AnyJson::object();
    PutUnlessEmpty(object, "nameservers", dns.nameservers);
    PutUnlessEmpty(object, "domain", dns.domain);
    PutUnlessEmpty(object, "search", dns.search);
    PutUnlessEmpty(object, "options", dns.options);
    return object;
  }

  const std::string& version_;
};

}  // namespace

std::string FormatResult(const Result& result, const std::string& version) {
  if (ParseVersion(version) < kFirstWithoutIpVersion) {
    return ToText(Formatter<OrderedJson>(version).Format(result));
  }
  return ToText(Formatter<Json>(version).Format(result));
}

}  // namespace vulcan::plugin

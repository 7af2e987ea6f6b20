#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "plugin/json.h"

namespace vulcan::plugin {

// A CNI result, whatever version it came in or goes out as. Fields that CNI does not know are dropped.

struct Interface {
  std::string name;
  std::string mac;
  std::int64_t mtu = 0;
  std::string sandbox;
  std::string socket_path;
  std::string pci_id;
};

struct Ip {
  // Index into Result::interfaces.
  std::optional<std::size_t> interface;
  IpPrefix address;
  std::optional<IpAddress> gateway;
};

struct Route {
  IpPrefix destination;
  std::optional<IpAddress> gateway;
  std::int64_t mtu = 0;
  std::int64_t advmss = 0;
  std::int64_t priority = 0;
  // 0 is a value of these.
  std::optional<std::int64_t> table;
  std::optional<std::int64_t> scope;
};

struct Dns {
  std::vector<std::string> nameservers;
  std::string domain;
  std::vector<std::string> search;
  std::vector<std::string> options;
};

struct Result {
  std::vector<Interface> interfaces;
  std::vector<Ip> ips;
  std::vector<Route> routes;
  Dns dns;
};

// Throws a PluginError for a result that is malformed or of a version that this plugin doesn't know.
// A result of another version than the configuration's is converted.
[[nodiscard]] Result ParseResult(const Json& object);

// In the form of a supported version: 0.x has `version` in each of ips, `dns` always, and keys in the order
// of CNI's types; 1.x has its keys sorted.
[[nodiscard]] std::string FormatResult(const Result& result, const std::string& version);

}  // namespace vulcan::plugin

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/step_clock.h"
#include "engine/firewall_need.h"
#include "netlink/bridge_port.h"
#include "netlink/mac_address.h"
#include "sys/address_ranges.h"
#include "sys/address_store.h"
#include "sys/file_store.h"
#include "sys/netns.h"
#include "sys/tap.h"

namespace vulcan {

// These mirror AttachPlan and DetachPlan in lib/native/attachment.ts.

struct AttachmentLocks {
  std::string directory;
  std::string vm;
  // As in a claim. Only an attachment that is made looks at it.
  std::string container;
  // Absent: the caller holds it.
  std::optional<std::string> network;
  std::chrono::milliseconds timeout{};
};

struct FileName {
  std::string directory;
  std::string name;
};

struct BridgePort {
  BridgePortOptions options;
  // Whether the host has a route of its own to each address of the guest, as where the network has several
  // bridges.
  bool host_routes = false;
};

// A link that is no bridge's port: the host routes to the guest.
struct RoutedPort {
  // By which the firewall knows the network's links.
  std::uint32_t group = 0;
  // Whether the host answers for other guests.
  bool proxy_arp = false;
};

struct AddressRequest {
  RangeSet set;
  // Absent: a free one.
  std::optional<IpAddress> address;
};

struct AddressPlan {
  std::string directory;
  std::string owner;
  std::vector<AddressRequest> requests;
};

// The address of a request, in CIDR form.
struct AddressOf {
  std::size_t request = 0;
};

// The gateway of the range that the address of a request comes from.
struct GatewayOf {
  std::size_t request = 0;
};

struct RoutePlan {
  IpPrefix destination;
  std::variant<std::monostate, IpAddress, GatewayOf> gateway;
};

// The id of a VM, and of its attachment.
enum class VmName { kVm, kContainer };

// The record's text in pieces.
using RecordText = std::vector<std::variant<std::string, AddressOf, GatewayOf, VmName>>;

struct InterfacePlan {
  // Has the gateway's address, and is what a BridgePort is a port of.
  std::string bridge;
  // Whether it is the network's own, and has to be up.
  bool bridge_up = false;
  std::variant<BridgePort, RoutedPort> port;
  std::string host_link;
  std::string alias;
  MacAddress host_mac{};
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu = 0;
  std::string tap;
  TapOwner tap_owner{};
  std::vector<RoutePlan> routes;
  bool guarded = false;
  // What the guest may say it is besides the addresses that it gets.
  std::vector<IpAddress> guard_addresses;
};

// Of a bridge, and not routed to.
[[nodiscard]] inline bool IsPort(const InterfacePlan& plan) {
  return std::holds_alternative<BridgePort>(plan.port);
}

struct AttachPlan {
  AttachmentLocks locks;
  // Absent: whoever makes the attachment doesn't need it.
  std::optional<firewall::Need> firewall;
  FileName anchor;
  AddressPlan addresses;
  InterfacePlan interface;
  FileName record;
  RecordText record_text;
};

struct AttachResult {
  NamespaceId netns{};
  // In the order of the requests.
  std::vector<ReservedAddress> addresses;
  FileVersion record;
  std::vector<StepTime> steps;
};

}  // namespace vulcan

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "netlink/mac_address.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

enum class AddressGeneration : std::uint8_t { kEui64 = 0, kNone = 1 };

// What to change about a link; absent fields stay as they are.
struct LinkChange {
  std::optional<bool> up;
  std::optional<bool> promiscuous;
  std::optional<std::uint32_t> mtu;
  std::optional<std::string> alias;
  // Of a link that is known by its index. EBUSY before Linux 6.2 while it is up.
  std::optional<std::string> name;
  std::optional<std::uint32_t> group;
  std::optional<MacAddress> mac;
  // Index of the bridge to become a port of; 0 leaves the one it is in.
  std::optional<int> master;
  // How the kernel makes the link's IPv6 link-local address. EAFNOSUPPORT where there is no IPv6.
  std::optional<AddressGeneration> ipv6;
  // Whether the host forwards what comes in on it, in IPv4.
  std::optional<bool> forwarding;
  // Whether the host answers ARP on it for whomever it has a route to elsewhere.
  std::optional<bool> proxy_arp;
  // For which of its own addresses the host does not answer ARP on it, as conf/*/arp_ignore has it; that of
  // `all` counts where it is higher.
  std::optional<std::uint32_t> arp_ignore;

  [[nodiscard]] bool HasIpv4() const noexcept { return forwarding || proxy_arp || arp_ignore; }
  [[nodiscard]] bool IsEmpty() const noexcept {
    return !up && !promiscuous && !mtu && !alias && !name && !group && !mac && !master && !ipv6 && !HasIpv4();
  }
};

[[nodiscard]] RtnlMessage SetLink(int index, const LinkChange& change);
// A link that was made by the same batch has no index yet.
[[nodiscard]] RtnlMessage SetLink(std::string_view name, const LinkChange& change);
[[nodiscard]] RtnlMessage DelLink(int index);

}  // namespace vulcan

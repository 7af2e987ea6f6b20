#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "engine/freeing_links.h"
#include "engine/namespace_source.h"
#include "engine/parting_namespaces.h"
#include "netlink/rtnl_socket.h"
#include "nft/socket.h"
#include "sys/address_store.h"

namespace vulcan {

// What attachments of one thread share: sockets in its network namespace, a thread for new namespaces, and
// what is remembered between them. It must be used by that thread alone.
class AttachmentHost {
 public:
  [[nodiscard]] RtnlSocket& Links();
  [[nodiscard]] nft::Socket& Nft();
  [[nodiscard]] NamespaceSource& Namespaces() noexcept { return namespaces_; }
  [[nodiscard]] AddressHints& Addresses() noexcept { return addresses_; }
  [[nodiscard]] FreeingLinks& Freeing() noexcept { return freeing_; }
  [[nodiscard]] PartingNamespaces& Parting() noexcept { return parting_; }

  // ENODEV when there is no such bridge.
  [[nodiscard]] int NeedBridge(const std::string& bridge);
  // The same; ENOSPC with reason kBridgeFull when it has no room for a port.
  [[nodiscard]] int BridgeWithRoom(const std::string& bridge);
  // A port was added.
  void CountPort(int bridge) { ++ports_[bridge]; }
  // Others have added ports, too.
  void ForgetPorts(int bridge) { ports_.erase(bridge); }

  // Keeps the kernel from giving the link an IPv6 address and from telling the network about it. A kernel
  // without IPv6 has nothing to be kept from.
  void DisableIpv6(const std::string& link);

 private:
  std::optional<RtnlSocket> links_;
  std::optional<nft::Socket> nft_;
  NamespaceSource namespaces_;
  AddressHints addresses_;
  FreeingLinks freeing_;
  PartingNamespaces parting_;
  // By the bridge's index: the ports of the last count, and all of ours since.
  std::map<int, std::size_t> ports_;
  UniqueFd ipv6_settings_;
};

}  // namespace vulcan

#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/ip_address.h"

namespace vulcan {

// The connections that a network namespace tracks: of the thread that opens it, for ever. A kernel that
// tracks nothing has none. EOPNOTSUPP where it tracks, but does not let itself be asked
// (CONFIG_NF_CT_NETLINK).
class Conntrack {
 public:
  Conntrack();

  [[nodiscard]] std::uint32_t Count();
  // Whether so many addresses are rather forgotten one by one, among so many connections.
  [[nodiscard]] static bool AreFew(std::size_t addresses, std::uint32_t connections);
  // Whether the kernel's own search finds connections of such an address, and no others: never of IPv6.
  [[nodiscard]] static bool IsSearchable(const IpAddress& address) noexcept;
  // Forgets every connection of the address by a search of the kernel's own. False, and nothing is done,
  // where it has none, which is so before Linux 6.12, or the address is not searchable.
  [[nodiscard]] bool TryRemove(const IpAddress& address);
  // Of all these addresses, by readings of all connections. Those of them that always have new ones.
  [[nodiscard]] std::vector<IpAddress> Remove(std::vector<IpAddress> addresses);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
  };
  using Visitor = std::function<void(const nlmsghdr&)>;

  // The errno of the answer, 0 when all went well.
  [[nodiscard]] int Ask(std::uint16_t type, std::uint8_t family, std::uint16_t flags,
                        const std::function<void(nlmsghdr*)>& fill, const Visitor& visit);
  [[nodiscard]] std::vector<std::vector<std::byte>> Find(const std::vector<IpAddress>& addresses);
  void Delete(const std::vector<std::byte>& entry);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
  Buffer buffer_;
};

}  // namespace vulcan

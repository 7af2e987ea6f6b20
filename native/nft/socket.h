#pragma once

#include <libmnl/libmnl.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "nft/message.h"

namespace vulcan::nft {

// A NETLINK_NETFILTER socket. It belongs for ever to the network namespace of the thread that opened it.
class Socket {
 public:
  Socket();

  // One object; nothing when the kernel says ENOENT.
  [[nodiscard]] std::optional<Message> Get(std::uint16_t type, std::uint8_t family, const Payload& payload);

  // All objects that match; an interrupted dump is repeated. Nothing when the kernel says ENOENT.
  [[nodiscard]] std::vector<Message> Dump(std::uint16_t type, std::uint8_t family, const Payload& payload);

  // The ruleset's generation: any change by anyone advances it.
  [[nodiscard]] std::uint32_t Generation();

  // Sends a whole batch and returns what the kernel answered to it, in its order. Batches are processed
  // within the call, so that no answer can be outstanding when it returns.
  [[nodiscard]] std::vector<Acknowledgement> Exchange(std::span<iovec> parts);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
  };
  struct Answer {
    std::vector<Message> messages;
    int error = 0;
    std::string text;
    bool interrupted = false;
  };

  [[nodiscard]] Answer Request(std::uint16_t type, std::uint8_t family, std::uint16_t flags,
                               const Payload& payload);
  // False when this was the last message.
  [[nodiscard]] static bool Take(const nlmsghdr* header, bool dump, Answer& answer);
  [[nodiscard]] std::size_t Receive(int flags);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
  Buffer buffer_;
};

}  // namespace vulcan::nft

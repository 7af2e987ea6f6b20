#pragma once

#include <netlink/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "netlink/rtnl_batch.h"
#include "netlink/rtnl_message.h"
#include "netlink/rtnl_reply.h"

namespace vulcan {

// Whether what the kernel is too busy for is asked for again.
enum class Retry { kTransient, kNever };

// An rtnetlink socket. It belongs to the network namespace of the thread that opened it, for ever: any thread
// may use it from any namespace afterwards, one at a time.
class RtnlSocket {
 public:
  RtnlSocket();

  [[nodiscard]] int Fd() const noexcept { return nl_socket_get_fd(socket_.get()); }

  // One change; throws what the kernel refuses. EBUSY and ENOBUFS are tried again a few times.
  void Request(RtnlMessage message);

  // Several changes in one send. Those that fail are sent again in their order, as Request does, for as long
  // as the first of them fails with EBUSY or ENOBUFS.
  [[nodiscard]] RtnlBatchResult Send(RtnlBatch batch, Retry retry = Retry::kTransient);

  // Of a link in the socket's namespace, without its details and without RTNL; empty when there is none.
  [[nodiscard]] std::optional<int> IndexOf(const std::string& link) const;

  // The same, and of its own: false where there is no such link either.
  [[nodiscard]] bool IsUp(const std::string& link) const;

  // One object; `parse` turns a message into an std::optional. Empty when the kernel sent none.
  template <typename Parse>
  [[nodiscard]] auto Get(RtnlMessage request, Parse parse)
      -> decltype(parse(std::declval<const nlmsghdr&>())) {
    decltype(parse(std::declval<const nlmsghdr&>())) object;
    Ask(request, [&](const nlmsghdr& message) { object = parse(message); }).ThrowIfFailed();
    return object;
  }

  // All objects that `parse` does not decline, from one consistent dump; an interrupted one is done again.
  template <typename Parse>
  [[nodiscard]] auto Dump(RtnlMessage request, Parse parse) {
    using Object = typename decltype(parse(std::declval<const nlmsghdr&>()))::value_type;
    std::vector<Object> objects;
    VisitDump(
        std::move(request), [&] { objects.clear(); },
        [&](const nlmsghdr& message) {
          if (auto object = parse(message)) objects.push_back(std::move(*object));
        });
    return objects;
  }

  // The same for who keeps no objects: `restart` begins each attempt, and forgets what `visit` has gathered.
  void VisitDump(RtnlMessage request, const std::function<void()>& restart, const RtnlVisitor& visit);

 private:
  struct Free {
    void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
  };

  [[nodiscard]] RtnlBatchResult SendOnce(std::span<RtnlMessage* const> messages);
  // Why the dump has to be done again, or nothing.
  [[nodiscard]] std::optional<Error> TryDump(RtnlMessage& request, const RtnlVisitor& visit);
  RtnlReply Ask(RtnlMessage& request, const RtnlVisitor& visit);
  void Stamp(RtnlMessage& message) noexcept { message.Header().nlmsg_seq = ++sequence_; }
  void SendBytes(std::span<const std::byte> bytes, int type);
  [[nodiscard]] std::span<const std::byte> Receive(int type);

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint32_t sequence_ = 0;
  Buffer buffer_;
};

}  // namespace vulcan

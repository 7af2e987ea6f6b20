#pragma once

#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>

#include "base/error.h"

namespace vulcan {

using RtnlVisitor = std::function<void(const nlmsghdr&)>;

// Visits every whole message of one datagram.
void VisitMessages(std::span<const std::byte> datagram, const RtnlVisitor& visit);

// Follows the kernel's answer to one request, datagram by datagram, to its end.
class RtnlReply {
 public:
  explicit RtnlReply(const nlmsghdr& request) : sequence_(request.nlmsg_seq), type_(request.nlmsg_type) {}

  // Visits the objects in the datagram that answer this request. What `visit` throws is kept until
  // ThrowIfFailed: a dump must be read to its end, or the kernel answers the socket's next one with EBUSY.
  void Read(std::span<const std::byte> datagram, const RtnlVisitor& visit);

  [[nodiscard]] bool IsDone() const noexcept { return done_; }
  // The kernel's tables changed while it dumped them (NLM_F_DUMP_INTR): the answer may lack objects or repeat
  // them.
  [[nodiscard]] bool IsInterrupted() const noexcept { return interrupted_; }
  [[nodiscard]] const std::optional<Error>& Failure() const noexcept { return failure_; }
  void ThrowIfFailed() const;

 private:
  void ReadOne(const nlmsghdr& message, const RtnlVisitor& visit);

  std::uint32_t sequence_;
  int type_;
  bool done_ = false;
  bool interrupted_ = false;
  std::optional<Error> failure_;
  std::exception_ptr thrown_;
};

}  // namespace vulcan

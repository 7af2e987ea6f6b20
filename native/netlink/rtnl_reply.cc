#include "netlink/rtnl_reply.h"

#include <linux/netlink.h>

#include "netlink/acknowledgement.h"

namespace vulcan {

void VisitMessages(std::span<const std::byte> datagram, const RtnlVisitor& visit) {
  int rest = static_cast<int>(datagram.size());
  auto* message = const_cast<nlmsghdr*>(reinterpret_cast<const nlmsghdr*>(datagram.data()));
  for (; nlmsg_ok(message, rest) != 0; message = nlmsg_next(message, &rest)) visit(*message);
}

void RtnlReply::Read(std::span<const std::byte> datagram, const RtnlVisitor& visit) {
  VisitMessages(datagram, [&](const nlmsghdr& message) {
    if (message.nlmsg_seq == sequence_ && !done_) ReadOne(message, visit);
  });
}

void RtnlReply::ReadOne(const nlmsghdr& message, const RtnlVisitor& visit) {
  if ((message.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  switch (message.nlmsg_type) {
    case NLMSG_NOOP:
      return;
    case NLMSG_ERROR:
    case NLMSG_DONE:
      failure_ = ReadAcknowledgement(message, type_);
      done_ = true;
      return;
    default:
      break;
  }
  if (thrown_) return;
  try {
    visit(message);
  } catch (...) {
    thrown_ = std::current_exception();
  }
}

void RtnlReply::ThrowIfFailed() const {
  if (failure_) throw *failure_;
  if (thrown_) std::rethrow_exception(thrown_);
}

}  // namespace vulcan

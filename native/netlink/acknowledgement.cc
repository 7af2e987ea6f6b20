#include "netlink/acknowledgement.h"

#include <linux/netlink.h>

#include <cstddef>
#include <string>

#include "base/errnum.h"
#include "netlink/attributes.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

namespace {

// NLMSGERR_ATTR_MISS_TYPE is of Linux 6.1; older kernel headers end before it.
constexpr int kMissingType = 5;

// Bytes between the message's header and its attributes.
std::size_t SizeBeforeAttributes(const nlmsghdr& message) {
  if (message.nlmsg_type == NLMSG_DONE) return sizeof(int);
  // Without NLM_F_CAPPED the kernel has echoed the whole request.
  const auto error = FixedPart<nlmsgerr>(message);
  const bool echoed = (message.nlmsg_flags & NLM_F_CAPPED) == 0 && error.msg.nlmsg_len > sizeof(nlmsghdr);
  return sizeof(nlmsgerr) + (echoed ? error.msg.nlmsg_len - sizeof(nlmsghdr) : 0);
}

std::string ExtendedText(const nlmsghdr& message) {
  const auto before = SizeBeforeAttributes(message);
  if (NLMSG_ALIGN(before) > static_cast<std::size_t>(nlmsg_datalen(&message))) return {};
  const Attributes<kMissingType> attributes(message, before);
  std::string text = attributes.String(NLMSGERR_ATTR_MSG);
  const auto append = [&text](const std::string& more) { text += text.empty() ? more : ", " + more; };
  if (attributes.Has(NLMSGERR_ATTR_OFFS)) {
    append("at byte " + std::to_string(attributes.U32(NLMSGERR_ATTR_OFFS)) + " of the request");
  }
  if (attributes.Has(kMissingType)) {
    append("attribute " + std::to_string(attributes.U32(kMissingType)) + " is missing");
  }
  return text;
}

}  // namespace

std::optional<Error> ReadAcknowledgement(const nlmsghdr& message, int type) {
  const int error = FixedPart<int>(message);
  if (error >= 0) return std::nullopt;
  Error failure(ErrnumOf(error), RtnlTypeName(type));
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) != 0) failure.Kernel(ExtendedText(message));
  return failure;
}

}  // namespace vulcan

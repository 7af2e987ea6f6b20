#include "netlink/rtnl_message.h"

#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace vulcan {

namespace {

// MAX_MTU-sized fields aside, no request of ours comes near a page; libnl's own default is one page, too.
constexpr std::size_t kMessageSize = 4096;

}  // namespace

RtnlMessage::RtnlMessage(int type, int flags, const void* fixed, std::size_t size)
    : message_(nlmsg_alloc_size(kMessageSize)) {
  if (!message_) throw Error(ENOMEM, RtnlTypeName(type));
  if (nlmsg_put(message_.get(), NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, NLM_F_REQUEST | flags) == nullptr ||
      nlmsg_append(message_.get(), const_cast<void*>(fixed), size, NLMSG_ALIGNTO) < 0) {
    throw Error(EMSGSIZE, RtnlTypeName(type));
  }
}

RtnlMessage& RtnlMessage::Put(int attribute, const void* data, std::size_t size) {
  if (nla_put(message_.get(), attribute, static_cast<int>(size), data) < 0) {
    throw Error(EMSGSIZE, RtnlTypeName(Header().nlmsg_type));
  }
  return *this;
}

RtnlMessage& RtnlMessage::Append(const void* data, std::size_t size) {
  if (nlmsg_append(message_.get(), const_cast<void*>(data), size, NLMSG_ALIGNTO) < 0) {
    throw Error(EMSGSIZE, RtnlTypeName(Header().nlmsg_type));
  }
  return *this;
}

RtnlMessage& RtnlMessage::PutString(int attribute, std::string_view value) {
  const std::string terminated(value);
  return Put(attribute, terminated.c_str(), terminated.size() + 1);
}

nlattr* RtnlMessage::BeginNest(int attribute) {
  nlattr* const start = nla_nest_start(message_.get(), attribute);
  if (start == nullptr) throw Error(EMSGSIZE, RtnlTypeName(Header().nlmsg_type));
  return start;
}

std::string_view RtnlTypeName(int type) noexcept {
  switch (type) {
    case RTM_NEWLINK:
      return "RTM_NEWLINK";
    case RTM_DELLINK:
      return "RTM_DELLINK";
    case RTM_GETLINK:
      return "RTM_GETLINK";
    case RTM_SETLINK:
      return "RTM_SETLINK";
    case RTM_NEWADDR:
      return "RTM_NEWADDR";
    case RTM_DELADDR:
      return "RTM_DELADDR";
    case RTM_GETADDR:
      return "RTM_GETADDR";
    case RTM_NEWROUTE:
      return "RTM_NEWROUTE";
    case RTM_SETNEIGHTBL:
      return "RTM_SETNEIGHTBL";
    case RTM_DELROUTE:
      return "RTM_DELROUTE";
    case RTM_GETROUTE:
      return "RTM_GETROUTE";
    case RTM_NEWQDISC:
      return "RTM_NEWQDISC";
    case RTM_DELQDISC:
      return "RTM_DELQDISC";
    case RTM_GETQDISC:
      return "RTM_GETQDISC";
    case RTM_NEWTFILTER:
      return "RTM_NEWTFILTER";
    case RTM_GETTFILTER:
      return "RTM_GETTFILTER";
    default:
      return "rtnetlink";
  }
}

}  // namespace vulcan

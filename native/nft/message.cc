#include "nft/message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/errnum.h"

namespace vulcan::nft {
namespace {

template <typename Matches>
const nlattr* FindIf(const nlmsghdr* header, std::size_t offset, Matches matches) {
  const std::size_t size = mnl_nlmsg_get_payload_len(header);
  if (offset > size) return nullptr;
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload(header)) + size;
  const auto* attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(header, offset));
  for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)));
       attribute = mnl_attr_next(attribute)) {
    if (matches(attribute)) return attribute;
  }
  return nullptr;
}

}  // namespace

std::string MessageName(std::uint16_t type) {
  // In the order of enum nf_tables_msg_types.
  constexpr std::array<std::string_view, 25> kNames = {
      "NEWTABLE",     "GETTABLE",     "DELTABLE",     "NEWCHAIN",    "GETCHAIN", "DELCHAIN",   "NEWRULE",
      "GETRULE",      "DELRULE",      "NEWSET",       "GETSET",      "DELSET",   "NEWSETELEM", "GETSETELEM",
      "DELSETELEM",   "NEWGEN",       "GETGEN",       "TRACE",       "NEWOBJ",   "GETOBJ",     "DELOBJ",
      "GETOBJ_RESET", "NEWFLOWTABLE", "GETFLOWTABLE", "DELFLOWTABLE"};
  return "NFT_MSG_" + (type < kNames.size() ? std::string(kNames[type]) : std::to_string(type));
}

bool IsWhole(const nlmsghdr* header, int left) noexcept {
  return mnl_nlmsg_ok(header, left) && header->nlmsg_len <= static_cast<std::uint32_t>(left);
}

const nlattr* FindAttribute(const nlmsghdr* header, std::size_t offset, std::uint16_t type) {
  return FindIf(header, offset,
                [type](const nlattr* attribute) { return mnl_attr_get_type(attribute) == type; });
}

std::optional<std::uint32_t> FindU32(const nlmsghdr* header, std::uint16_t type) {
  const nlattr* const attribute = FindAttribute(header, sizeof(nfgenmsg), type);
  if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_U32) < 0) return std::nullopt;
  return ntohl(mnl_attr_get_u32(attribute));
}

nlmsghdr* PutRequest(void* at, std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                     std::uint32_t sequence) {
  nlmsghdr* const request = mnl_nlmsg_put_header(at);
  request->nlmsg_type = type;
  request->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  request->nlmsg_seq = sequence;
  auto* const fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
  fixed->nfgen_family = family;
  fixed->version = NFNETLINK_V0;
  return request;
}

bool AreTexts(const nlmsghdr* header, std::initializer_list<std::uint16_t> types) {
  const auto is_broken = [types](const nlattr* attribute) {
    return std::ranges::find(types, mnl_attr_get_type(attribute)) != types.end() &&
           mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0;
  };
  return FindIf(header, sizeof(nfgenmsg), is_broken) == nullptr;
}

Acknowledgement ParseAcknowledgement(const nlmsghdr* header) {
  if (mnl_nlmsg_get_payload_len(header) < sizeof(nlmsgerr)) return {header->nlmsg_seq, EBADMSG, {}};
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
  Acknowledgement result{error->msg.nlmsg_seq, ErrnumOf(error->error), {}};
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return result;

  // The attributes follow the request's header, or the whole request where the kernel repeats it.
  std::size_t offset = sizeof(nlmsgerr);
  if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) {
    offset += MNL_ALIGN(std::max<std::size_t>(error->msg.nlmsg_len, sizeof(nlmsghdr)) - sizeof(nlmsghdr));
  }
  const nlattr* text = FindAttribute(header, offset, NLMSGERR_ATTR_MSG);
  if (text != nullptr && mnl_attr_validate(text, MNL_TYPE_NUL_STRING) == 0)
    result.text = mnl_attr_get_str(text);
  return result;
}

}  // namespace vulcan::nft

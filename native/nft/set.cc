#include "nft/set.h"

#include <arpa/inet.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "nft/handle.h"
#include "nft/userdata.h"

namespace vulcan::nft {
namespace {

// nft packs the types of a concatenation into one number.
constexpr unsigned kBitsPerType = 6;
// Numbers of nft's enum byteorder.
constexpr std::uint32_t kHostEndian = 1;
constexpr std::uint32_t kBigEndian = 2;
constexpr std::uint32_t kWordBytes = 4;
constexpr std::uint32_t kMacBytes = 6;

std::uint32_t TypeBytes(DataType type) noexcept {
  switch (type) {
    case DataType::kIpv4:
      return sizeof(in_addr);
    case DataType::kIpv6:
      return sizeof(in6_addr);
    case DataType::kMac:
      return kMacBytes;
    case DataType::kProtocol:
      return sizeof(std::uint8_t);
    case DataType::kPort:
      return sizeof(in_port_t);
    case DataType::kLinkGroup:
      return sizeof(std::uint32_t);
    case DataType::kLinkName:
      return IFNAMSIZ;
  }
  return 0;
}

constexpr std::uint32_t RoundUp(std::uint32_t bytes) noexcept {
  return (bytes + kWordBytes - 1) / kWordBytes * kWordBytes;
}

}  // namespace

std::uint32_t KeySize(const Set& set) noexcept {
  if (set.key.size() == 1) return TypeBytes(set.key.front());
  std::uint32_t bytes = 0;
  for (const DataType type : set.key) bytes += RoundUp(TypeBytes(type));
  return bytes;
}

void AddSet(Batch& batch, const Table& table, const Set& set) {
  std::uint32_t type = 0;
  for (const DataType part : set.key) type = (type << kBitsPerType) | static_cast<std::uint32_t>(part);
  UserData data;
  // Of a concatenation each part has its own.
  if (set.key.size() == 1) {
    const DataType type_of_all = set.key.front();
    const bool is_link = type_of_all == DataType::kLinkName || type_of_all == DataType::kLinkGroup;
    data.Number(NFTNL_UDATA_SET_KEYBYTEORDER, is_link ? kHostEndian : kBigEndian);
  }
  if (!set.comment.empty()) data.Text(NFTNL_UDATA_SET_COMMENT, set.comment);

  const auto handle = Own<SetHandle>(nftnl_set_alloc());
  nftnl_set_set_str(handle.get(), NFTNL_SET_TABLE, table.name.c_str());
  nftnl_set_set_str(handle.get(), NFTNL_SET_NAME, set.name.c_str());
  nftnl_set_set_u32(handle.get(), NFTNL_SET_ID, batch.NextSetId());
  nftnl_set_set_u32(handle.get(), NFTNL_SET_FLAGS,
                    set.interval ? static_cast<std::uint32_t>(NFT_SET_INTERVAL) : 0U);
  nftnl_set_set_u32(handle.get(), NFTNL_SET_KEY_TYPE, type);
  nftnl_set_set_u32(handle.get(), NFTNL_SET_KEY_LEN, KeySize(set));
  nftnl_set_set_data(handle.get(), NFTNL_SET_USERDATA, data.Data(), data.Size());
  batch.Add(NFT_MSG_NEWSET, table.family, NLM_F_CREATE, "set " + set.name,
            [&](nlmsghdr* header) { nftnl_set_nlmsg_build_payload(header, handle.get()); });
}

Key LinkNameKey(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ) throw Error(EINVAL, "if_nametoindex").Path(name);
  Key key(IFNAMSIZ);
  std::memcpy(key.data(), name.data(), name.size());
  return key;
}

Key LinkGroupKey(std::uint32_t group) {
  Key key(sizeof group);
  std::memcpy(key.data(), &group, sizeof group);
  return key;
}

Key MacKey(std::span<const std::byte, 6> mac) {
  Key key(RoundUp(kMacBytes));
  std::copy(mac.begin(), mac.end(), key.begin());
  return key;
}

Key ServiceKey(std::uint8_t protocol, std::uint16_t port) {
  constexpr std::size_t kPortOffset = 4;
  Key key(kPortOffset + sizeof(std::uint32_t));
  key[0] = std::byte{protocol};
  const std::uint16_t network_order = htons(port);
  std::memcpy(key.data() + kPortOffset, &network_order, sizeof network_order);
  return key;
}

Key Concatenate(Key left, const Key& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace vulcan::nft

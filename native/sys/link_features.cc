#include "sys/link_features.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/error.h"

namespace vulcan {
namespace {

constexpr std::size_t kWords = std::tuple_size_v<decltype(LinkFeatures::words)>;

// The structs of <linux/ethtool.h> end in a flexible array.
template <typename Block>
struct Blocks {
  std::uint32_t command = 0;
  std::uint32_t size = kWords;
  std::array<Block, kWords> words{};
};

template <typename Block>
void Call(int socket, const std::string& link, Blocks<Block>& blocks, const char* what) {
  ifreq request{};
  if (link.size() >= sizeof request.ifr_name) throw Error(EINVAL, what).Path(link);
  link.copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_data = reinterpret_cast<char*>(&blocks);
  if (::ioctl(socket, SIOCETHTOOL, &request) < 0) throw SystemError(what, link);
}

}  // namespace

LinkFeatures GetLinkFeatures(int socket, const std::string& link) {
  Blocks<ethtool_get_features_block> blocks{ETHTOOL_GFEATURES};
  Call(socket, link, blocks, "ioctl(ETHTOOL_GFEATURES)");
  LinkFeatures features;
  for (std::size_t i = 0; i < kWords; ++i) {
    const auto& word = blocks.words[i];
    features.words[i] = {word.available, word.requested, word.active};
  }
  return features;
}

void RequestLinkFeatures(int socket, const std::string& link, const LinkFeatures& features) {
  Blocks<ethtool_set_features_block> blocks{ETHTOOL_SFEATURES};
  std::size_t words = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    blocks.words[i] = {features.words[i].available, features.words[i].requested};
    // The kernel takes exactly as many as it has.
    if (features.words[i].available != 0) words = i + 1;
  }
  blocks.size = static_cast<std::uint32_t>(words);
  Call(socket, link, blocks, "ioctl(ETHTOOL_SFEATURES)");
}

}  // namespace vulcan

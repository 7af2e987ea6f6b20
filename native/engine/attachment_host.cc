#include "engine/attachment_host.h"

#include <fcntl.h>

#include <cerrno>

#include "base/error.h"
#include "netlink/bridge_port.h"
#include "sys/io.h"
#include "sys/link_presence.h"

namespace vulcan {

RtnlSocket& AttachmentHost::Links() {
  if (!links_) links_.emplace();
  return *links_;
}

nft::Socket& AttachmentHost::Nft() {
  if (!nft_) nft_.emplace();
  return *nft_;
}

int AttachmentHost::NeedBridge(const std::string& bridge) {
  const auto index = Links().IndexOf(bridge);
  if (!index) throw Error(ENODEV, "ioctl(SIOCGIFINDEX)").Path(bridge);
  return *index;
}

int AttachmentHost::BridgeWithRoom(const std::string& bridge) {
  const int index = NeedBridge(bridge);
  const auto known = ports_.find(index);
  if (known != ports_.end() && known->second < kMaxBridgePorts) return index;
  // The kernel would say so, too, but only after it has made the links, and it takes 20 ms to free them.
  const std::size_t count = CountBridgePorts(Links(), index);
  ports_[index] = count;
  if (count < kMaxBridgePorts) return index;
  throw Error(ENOSPC, RtnlTypeName(RTM_NEWLINK),
              "the bridge has " + std::to_string(count) + " ports, all it can have")
      .Path(bridge)
      .Why(Reason::kBridgeFull);
}

void AttachmentHost::DisableIpv6(const std::string& link) {
  if (!ipv6_settings_) {
    ipv6_settings_.Reset(::open("/proc/sys/net/ipv6/conf", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!ipv6_settings_ && errno == ENOENT) return;
    if (!ipv6_settings_) throw SystemError("open", "/proc/sys/net/ipv6/conf");
  }
  const std::string key = link + "/disable_ipv6";
  const UniqueFd file(::openat(ipv6_settings_.Get(), key.c_str(), O_WRONLY | O_CLOEXEC));
  // A link whose MTU is less than IPv6's least (1280) has none.
  if (!file && errno == ENOENT && IsLinkPresent(link)) return;
  if (!file) throw SystemError("openat", "/proc/sys/net/ipv6/conf/" + key);
  WriteAll(file.Get(), "1", "/proc/sys/net/ipv6/conf/" + key);
}

}  // namespace vulcan

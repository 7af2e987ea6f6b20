#include "sys/tap.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/error.h"
#include "base/unique_fd.h"

namespace vulcan {
namespace {

constexpr const char* kTunPath = "/dev/net/tun";
constexpr short kTapFlags = IFF_TAP | IFF_ONE_QUEUE | IFF_VNET_HDR;
// sizeof(virtio_net_hdr), what a TAP is born with; <linux/virtio_net.h> is not C++.
constexpr int kHeaderBytes = 10;
// <linux/if_tun.h> has it as an int that doesn't fit ifr_flags' sign.
constexpr unsigned short kExclusive = IFF_TUN_EXCL;

[[nodiscard]] ifreq Request(const std::string& name, unsigned short flags) {
  if (name.size() >= IFNAMSIZ) throw Error(EINVAL, "ioctl(TUNSETIFF)", "bad name").Path(name);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags);
  return request;
}

void Set(const UniqueFd& tun, unsigned long request, unsigned long value, const char* what) {
  if (::ioctl(tun.Get(), request, value) != 0) throw SystemError(what);
}

void SetOwner(const UniqueFd& tun, const TapOwner& owner) {
  Set(tun, TUNSETOWNER, owner.uid, "ioctl(TUNSETOWNER)");
  Set(tun, TUNSETGROUP, owner.gid, "ioctl(TUNSETGROUP)");
}

}  // namespace

UniqueFd OpenTun() {
  UniqueFd tun(::open(kTunPath, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tun) throw SystemError("open", kTunPath);
  return tun;
}

void RequireTun() {
  if (::faccessat(AT_FDCWD, kTunPath, R_OK | W_OK, AT_EACCESS) != 0) throw SystemError("faccessat", kTunPath);
}

Tap::Tap(const std::string& name, const TapOwner& owner) : owner_(owner) {
  ifreq request = Request(name, kTapFlags | kExclusive);
  tun_ = OpenTun();
  if (::ioctl(tun_.Get(), TUNSETIFF, &request) != 0) {
    const Error failure = SystemError("ioctl(TUNSETIFF)", name);
    // A link that is there: EBUSY for a TUN or TAP (because of IFF_TUN_EXCL), EINVAL for any other.
    if (::if_nametoindex(name.c_str()) != 0) throw Error(EEXIST, "ioctl(TUNSETIFF)").Path(name);
    throw failure;
  }
  name_ = request.ifr_name;
  SetOwner(tun_, owner);
}

void Tap::GiveTo(const TapOwner& owner) {
  SetOwner(tun_, owner);
  owner_ = owner;
}

void Tap::Persist() { Set(tun_, TUNSETPERSIST, 1, "ioctl(TUNSETPERSIST)"); }

void CreateTap(const std::string& name, const TapOwner& owner) {
  Tap tap(name, owner);
  if (name != tap.Name()) throw Error(EINVAL, "ioctl(TUNSETIFF)", "bad name").Path(name);
  tap.Persist();
}

void CreateTap(UniqueFd tun, const std::string& name, const TapOwner& owner) {
  ifreq request = Request(name, kTapFlags | kExclusive);
  if (::ioctl(tun.Get(), TUNSETIFF, &request) != 0) throw SystemError("ioctl(TUNSETIFF)", name);
  SetOwner(tun, owner);
  Set(tun, TUNSETPERSIST, 1, "ioctl(TUNSETPERSIST)");
}

void ChangeTapOwner(const std::string& name, const TapOwner& owner) {
  ifreq request = Request(name, kTapFlags);
  const UniqueFd tun = OpenTun();
  if (::ioctl(tun.Get(), TUNSETIFF, &request) != 0) throw SystemError("ioctl(TUNSETIFF)", name);
  SetOwner(tun, owner);
}

void ResetTap(UniqueFd tun, const std::string& name, const TapOwner& owner) {
  // The flags that are not among these end with it, too.
  ifreq request = Request(name, kTapFlags);
  if (::ioctl(tun.Get(), TUNSETIFF, &request) != 0) throw SystemError("ioctl(TUNSETIFF)", name);
  const auto set = [&tun](unsigned long what, const void* value, const char* which) {
    if (::ioctl(tun.Get(), what, value) < 0) throw SystemError(which);
  };
  const int header_bytes = kHeaderBytes;
  const int send_buffer = std::numeric_limits<int>::max();
  const int no = 0;
  const int no_program = -1;
  const tun_filter no_addresses{};
  const sock_fprog no_filter{};
  set(TUNSETVNETHDRSZ, &header_bytes, "ioctl(TUNSETVNETHDRSZ)");
  set(TUNSETSNDBUF, &send_buffer, "ioctl(TUNSETSNDBUF)");
  set(TUNSETVNETLE, &no, "ioctl(TUNSETVNETLE)");
  // Not every kernel knows big endian headers; then nobody can have asked for them.
  if (::ioctl(tun.Get(), TUNSETVNETBE, &no) != 0 && errno != EINVAL) throw SystemError("ioctl(TUNSETVNETBE)");
  set(TUNSETTXFILTER, &no_addresses, "ioctl(TUNSETTXFILTER)");
  set(TUNDETACHFILTER, &no_filter, "ioctl(TUNDETACHFILTER)");
  // The kernel refuses a filter without instructions, but forgets the one that TUNGETFILTER would tell of.
  if (::ioctl(tun.Get(), TUNATTACHFILTER, &no_filter) != 0 && errno != EINVAL) {
    throw SystemError("ioctl(TUNATTACHFILTER)");
  }
  set(TUNSETSTEERINGEBPF, &no_program, "ioctl(TUNSETSTEERINGEBPF)");
  set(TUNSETFILTEREBPF, &no_program, "ioctl(TUNSETFILTEREBPF)");
  Set(tun, TUNSETOFFLOAD, 0, "ioctl(TUNSETOFFLOAD)");
  SetOwner(tun, owner);
  Set(tun, TUNSETPERSIST, 1, "ioctl(TUNSETPERSIST)");
}

bool RemoveTap(const std::string& name) {
  ifreq request = Request(name, kTapFlags);
  if (::if_nametoindex(name.c_str()) == 0) return false;
  const UniqueFd tun = OpenTun();
  if (::ioctl(tun.Get(), TUNSETIFF, &request) != 0) {
    if (errno == EINVAL) throw Error(EINVAL, "ioctl(TUNSETIFF)").Path(name).Why(Reason::kWrongKind);
    throw SystemError("ioctl(TUNSETIFF)", name);
  }
  Set(tun, TUNSETPERSIST, 0, "ioctl(TUNSETPERSIST)");
  return true;
}

}  // namespace vulcan

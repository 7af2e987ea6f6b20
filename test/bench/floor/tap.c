#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "floor.h"

int CreateTap(const char* name, uid_t owner, gid_t group) {
  const int tap = Checked(open("/dev/net/tun", O_RDWR | O_CLOEXEC), "open /dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_VNET_HDR};
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  Checked(ioctl(tap, TUNSETIFF, &request), "make the TAP");
  Checked(ioctl(tap, TUNSETOWNER, owner), "give the TAP its owner");
  Checked(ioctl(tap, TUNSETGROUP, group), "give the TAP its group");
  Checked(ioctl(tap, TUNSETPERSIST, 1), "make the TAP stay");
  return tap;
}

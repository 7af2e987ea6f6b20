// A VMM that changes whatever one can change about its TAP: `rude-vmm TAP` says "in" and stays until its input
// ends. With `rude-vmm TAP --look` it says what the TAP is when a VMM gets it, and ends. `rude-vmm LINK --whole`
// is `ethtool -K LINK gso off`.
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kOwner = 4321, kWords = 4 };

static int Fail(const char* what) {
  perror(what);
  return 1;
}

struct Features {
  struct ethtool_gfeatures head;
  struct ethtool_get_features_block words[kWords];
};

static int Look(int tap, struct ifreq* request) {
  int header = 0;
  int buffer = 0;
  int little = 0;
  if (ioctl(tap, TUNGETVNETHDRSZ, &header) != 0) return Fail("TUNGETVNETHDRSZ");
  if (ioctl(tap, TUNGETSNDBUF, &buffer) != 0) return Fail("TUNGETSNDBUF");
  if (ioctl(tap, TUNGETVNETLE, &little) != 0) return Fail("TUNGETVNETLE");
  struct sock_fprog filter = {0};
  if (ioctl(tap, TUNGETFILTER, &filter) != 0) return Fail("TUNGETFILTER");
  struct Features features = {{ETHTOOL_GFEATURES, kWords}, {{0}}};
  request->ifr_data = (void*)&features;
  const int asker = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(asker, SIOCETHTOOL, request) < 0) return Fail("ETHTOOL_GFEATURES");
  printf("header=%d buffer=%d little=%d filter=%d", header, buffer, little, filter.len);
  for (unsigned i = 0; i < features.head.size; ++i)
    printf(" features=%x/%x", features.words[i].requested, features.words[i].active);
  puts("");
  return 0;
}

static int SwitchOff(struct ifreq* request) {
  struct ethtool_value off = {ETHTOOL_SGSO, 0};
  request->ifr_data = (void*)&off;
  const int asker = socket(AF_INET, SOCK_DGRAM, 0);
  return ioctl(asker, SIOCETHTOOL, request) < 0 ? Fail("ETHTOOL_SGSO") : 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  struct ifreq request = {0};
  strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
  if (argc > 2 && strcmp(argv[2], "--whole") == 0) return SwitchOff(&request);
  const int tap = open("/dev/net/tun", O_RDWR);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(tap, TUNSETIFF, &request) != 0) return Fail("TUNSETIFF");
  if (argc > 2) return Look(tap, &request);

  const int header = 12;
  const int buffer = 1 << 16;
  const int little = 1;
  struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
  const struct sock_fprog filter = {1, &drop};
  const struct {
    struct tun_filter head;
    unsigned char mac[6];
  } addresses = {{0, 1}, {2, 0, 0, 0, 0, 1}};
  if (ioctl(tap, TUNSETVNETHDRSZ, &header) != 0) return Fail("TUNSETVNETHDRSZ");
  if (ioctl(tap, TUNSETSNDBUF, &buffer) != 0) return Fail("TUNSETSNDBUF");
  if (ioctl(tap, TUNSETVNETLE, &little) != 0) return Fail("TUNSETVNETLE");
  if (ioctl(tap, TUNATTACHFILTER, &filter) != 0) return Fail("TUNATTACHFILTER");
  if (ioctl(tap, TUNSETTXFILTER, &addresses) < 0) return Fail("TUNSETTXFILTER");
  if (ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0) return Fail("TUNSETOFFLOAD");
  if (ioctl(tap, TUNSETOWNER, kOwner) != 0) return Fail("TUNSETOWNER");
  if (ioctl(tap, TUNSETGROUP, kOwner) != 0) return Fail("TUNSETGROUP");
  puts("in");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}

// A guest that sends every UDP datagram back: `tap-echo TAP`. It opens the TAP device as a VMM does.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { kVirtioHeader = 10, kLongestFrame = 2048 };

static int Fail(const char* what) {
  perror(what);
  return 1;
}

static void Swap(void* one, void* other, size_t size) {
  unsigned char kept[16];
  memcpy(kept, one, size);
  memcpy(one, other, size);
  memcpy(other, kept, size);
}

// To whom it came from. No checksum changes.
static int TurnRound(unsigned char* frame, ssize_t size) {
  struct ether_header* ethernet = (struct ether_header*)frame;
  struct iphdr* ip = (struct iphdr*)(frame + sizeof *ethernet);
  struct udphdr* udp = (struct udphdr*)(ip + 1);
  if (size < (ssize_t)(sizeof *ethernet + sizeof *ip + sizeof *udp)) return 0;
  if (ethernet->ether_type != htons(ETHERTYPE_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_UDP) return 0;
  Swap(ethernet->ether_dhost, ethernet->ether_shost, sizeof ethernet->ether_dhost);
  Swap(&ip->saddr, &ip->daddr, sizeof ip->saddr);
  Swap(&udp->source, &udp->dest, sizeof udp->source);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (tap < 0) return Fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  strncpy(request.ifr_name, argv[1], sizeof request.ifr_name - 1);
  if (ioctl(tap, TUNSETIFF, &request) != 0) return Fail(argv[1]);
  puts("ready");
  fflush(stdout);
  unsigned char buffer[kVirtioHeader + kLongestFrame];
  for (;;) {
    const ssize_t size = read(tap, buffer, sizeof buffer);
    if (size < 0) return Fail("read");
    if (!TurnRound(buffer + kVirtioHeader, size - kVirtioHeader)) continue;
    memset(buffer, 0, kVirtioHeader);
    if (write(tap, buffer, (size_t)size) != size) return Fail("write");
  }
}

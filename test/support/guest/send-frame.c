// Sends one Ethernet frame as it stands: `send-frame LINK HEXADECIMAL`. A guest that lies about itself needs it.
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { kLongestFrame = 1514 };

static int Fail(const char* what) {
  perror(what);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const char* text = argv[2];
  const size_t length = strlen(text) / 2;
  unsigned char frame[kLongestFrame];
  if (strlen(text) % 2 != 0 || length > sizeof frame) return 64;
  for (size_t i = 0; i < length; ++i) {
    if (sscanf(text + 2 * i, "%2hhx", &frame[i]) != 1) return 64;
  }

  const int packet_socket = socket(AF_PACKET, SOCK_RAW, 0);
  if (packet_socket < 0) return Fail("socket");
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1])};
  if (link.sll_ifindex == 0) return Fail(argv[1]);
  const ssize_t sent = sendto(packet_socket, frame, length, 0, (struct sockaddr*)&link, sizeof link);
  return sent == (ssize_t)length ? 0 : Fail("sendto");
}

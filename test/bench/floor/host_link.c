#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "floor.h"

static uint32_t IndexOf(const struct Network* network, const char* link) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", link);
  Checked(ioctl(network->link_socket, SIOCGIFINDEX, &request), "find a link");
  return (uint32_t)request.ifr_ifindex;
}

static void PutPeer(struct Batch* batch, const struct Vm* vm, int netns) {
  struct nlattr* peer = BeginNest(batch, VETH_INFO_PEER);
  // The peer's attributes follow a link header of its own.
  memset(batch->data + batch->length, 0, sizeof(struct ifinfomsg));
  batch->length += sizeof(struct ifinfomsg);
  batch->message->nlmsg_len += sizeof(struct ifinfomsg);
  PutText(batch, IFLA_IFNAME, "eth0");
  PutAttribute(batch, IFLA_ADDRESS, vm->guest_mac, sizeof vm->guest_mac);
  PutUint32(batch, IFLA_NET_NS_FD, (uint32_t)netns);
  PutUint32(batch, IFLA_NUM_TX_QUEUES, 1);
  PutUint32(batch, IFLA_NUM_RX_QUEUES, 1);
  EndNest(batch, peer);
}

// An alias is not taken with a link's birth (rtnl_newlink_create, 6.18): it is a message of its own, in the
// same send.
static void PutAlias(struct Batch* batch, const struct Network* network, const struct Vm* vm) {
  char alias[160];
  const struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
  snprintf(alias, sizeof alias, "vulcan-net %s %s eth0", network->name, vm->id);
  BeginMessage(batch, RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
  PutText(batch, IFLA_IFNAME, vm->host_link);
  PutAttribute(batch, IFLA_IFALIAS, alias, strlen(alias));
}

void CreateLinks(const struct Network* network, const struct Vm* vm, int netns) {
  struct Batch batch = {.length = 0};
  const struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
  BeginMessage(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  PutText(&batch, IFLA_IFNAME, vm->host_link);
  PutAttribute(&batch, IFLA_ADDRESS, vm->host_mac, sizeof vm->host_mac);
  PutUint32(&batch, IFLA_MASTER, IndexOf(network, network->bridge));
  PutUint32(&batch, IFLA_NUM_TX_QUEUES, 1);
  PutUint32(&batch, IFLA_NUM_RX_QUEUES, 1);
  struct nlattr* info = BeginNest(&batch, IFLA_LINKINFO);
  PutText(&batch, IFLA_INFO_KIND, "veth");
  struct nlattr* data = BeginNest(&batch, IFLA_INFO_DATA);
  PutPeer(&batch, vm, netns);
  EndNest(&batch, data);
  EndNest(&batch, info);
  PutAlias(&batch, network, vm);
  Transact(network->link_socket, &batch, "make the links");
}

void DisableIpv6(const struct Network* network, const struct Vm* vm) {
  char path[40];
  snprintf(path, sizeof path, "%s/disable_ipv6", vm->host_link);
  const int file =
      Checked(openat(network->sysctl_directory, path, O_WRONLY | O_CLOEXEC), "open disable_ipv6");
  Checked((int)write(file, "1", 1), "write disable_ipv6");
  close(file);
}

void SetHostLinkUp(const struct Network* network, const struct Vm* vm) {
  struct Batch batch = {.length = 0};
  const struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  BeginMessage(&batch, RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
  PutText(&batch, IFLA_IFNAME, vm->host_link);
  Transact(network->link_socket, &batch, "set the host link up");
}

// AF_BRIDGE finds its port by index alone.
void CutHostLink(const struct Network* network, const struct Vm* vm) {
  struct Batch batch = {.length = 0};
  const struct ifinfomsg link = {.ifi_family = AF_BRIDGE, .ifi_index = (int)IndexOf(network, vm->host_link)};
  const uint8_t disabled = BR_STATE_DISABLED;
  BeginMessage(&batch, RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
  struct nlattr* port = BeginNest(&batch, IFLA_PROTINFO | NLA_F_NESTED);
  PutAttribute(&batch, IFLA_BRPORT_STATE, &disabled, sizeof disabled);
  EndNest(&batch, port);
  Transact(network->link_socket, &batch, "cut the host link");
}

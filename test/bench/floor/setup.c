#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <unistd.h>

#include "floor.h"

// The TAP comes first: it is then link 2 of its namespace and eth0 link 3, and nobody has to look either up.
void SetUp(const struct Network* network, struct Vm* vm, struct Steps* steps) {
  const int lock = LockVm(network, vm);
  if (RecordExists(network, vm)) {
    errno = EEXIST;
    Die("set up a VM that is there");
  }
  Mark(steps, "lock");
  ReserveAddress(network, vm);
  Mark(steps, "address");
  const int netns = CreateAnchor(network, vm, lock);
  Mark(steps, "namespace");
  const int socket = OpenNetlink(NETLINK_ROUTE);
  Mark(steps, "socket");
  const int tap = CreateTap("tap0", geteuid(), getegid());
  Mark(steps, "tap");
  close(tap);
  Mark(steps, "close tap");
  Checked(setns(network->host_namespace, CLONE_NEWNET), "return to the host's namespace");
  Mark(steps, "return");
  CreateLinks(network, vm, netns);
  Mark(steps, "links");
  DisableIpv6(network, vm);
  Mark(steps, "disable_ipv6");
  ConfigureNamespace(network, vm, socket);
  Mark(steps, "inside");
  close(socket);
  close(netns);
  AddElements(network, vm);
  Mark(steps, "elements");
  SetHostLinkUp(network, vm);
  Mark(steps, "up");
  WriteRecord(network, vm);
  close(lock);
  Mark(steps, "record");
}

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <unistd.h>

#include "floor.h"

// The TAP comes first: it is then link 2 of its namespace and eth0 link 3, and nobody has to look either up.
void SetUp(const struct Network* network, struct Vm* vm, struct Steps* steps, struct Held* held) {
  const struct Locks locks = Lock(network, vm, held);
  const int records = Hold(held, OpenDirectory(network->record_path));
  if (RecordExists(network, vm, records)) {
    errno = EEXIST;
    Die("set up a VM that is there");
  }
  Mark(steps, "lock");
  ReserveAddress(network, vm);
  Mark(steps, "address");
  const int netns = Hold(held, CreateAnchor(network, vm, locks));
  Mark(steps, "namespace");
  const int socket = Hold(held, OpenNetlink(NETLINK_ROUTE));
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
  AddElements(network, vm);
  Mark(steps, "elements");
  SetHostLinkUp(network, vm);
  Mark(steps, "up");
  WriteRecord(network, vm, records);
  Mark(steps, "record");
}

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

static void AnchorPath(char* path, size_t size, const struct Network* network, const struct Vm* vm) {
  snprintf(path, size, "%s/vulcan-%s", network->netns_path, vm->id);
}

// Before the name, so that it proves whose the name is.
static void WriteClaim(int lock, int netns) {
  struct stat stat;
  char claim[48];
  Checked(fstat(netns, &stat), "look at the namespace");
  const int length = snprintf(claim, sizeof claim, "%lu:%lu\n", stat.st_dev, stat.st_ino);
  Checked((int)pwrite(lock, claim, (size_t)length, 0), "write the claim");
}

int CreateAnchor(const struct Network* network, const struct Vm* vm, int lock) {
  char path[128];
  AnchorPath(path, sizeof path, network, vm);
  Checked(unshare(CLONE_NEWNET), "make a namespace");
  const int netns = Checked(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open the namespace");
  WriteClaim(lock, netns);
  close(Checked(open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444), "make the namespace's name"));
  Checked(mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL), "name the namespace");
  return netns;
}

void RemoveAnchor(const struct Network* network, const struct Vm* vm) {
  char path[128];
  AnchorPath(path, sizeof path, network, vm);
  Checked(umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW), "un-name the namespace");
  Checked(unlink(path), "remove the namespace's name");
}

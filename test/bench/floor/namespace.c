#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

static void AnchorName(char* name, size_t size, const struct Vm* vm) {
  snprintf(name, size, "vulcan-%s", vm->id);
}

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

int CreateAnchor(const struct Network* network, const struct Vm* vm, struct Locks locks) {
  char name[80], path[128];
  AnchorName(name, sizeof name, vm);
  AnchorPath(path, sizeof path, network, vm);
  Checked(unshare(CLONE_NEWNET), "make a namespace");
  const int netns = Checked(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open the namespace");
  WriteClaim(locks.vm, netns);
  const int names = OpenDirectory(network->netns_path);
  const int flags = O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  close(Checked(openat(names, name, flags, 0), "make the namespace's name"));
  close(names);
  Checked(mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL), "name the namespace");
  return netns;
}

void RemoveAnchor(const struct Network* network, const struct Vm* vm) {
  char name[80], path[128];
  AnchorName(name, sizeof name, vm);
  AnchorPath(path, sizeof path, network, vm);
  const int names = OpenDirectory(network->netns_path);
  Checked(umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW), "un-name the namespace");
  Checked(unlinkat(names, name, 0), "remove the namespace's name");
  close(names);
}

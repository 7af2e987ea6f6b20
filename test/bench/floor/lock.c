#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

// The file may have been removed between open and flock, by the one who held it.
static void CheckStillThere(int directory, const char* name, int lock) {
  struct stat held, named;
  Checked(fstat(lock, &held), "look at the lock");
  Checked(fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW), "look at the lock");
  if (held.st_ino == named.st_ino && held.st_dev == named.st_dev) return;
  errno = ESTALE;
  Die("lock the VM");
}

static int TakeLock(int directory, const char* name, int operation) {
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const int lock = Checked(openat(directory, name, flags, 0600), "open a lock");
  Checked(flock(lock, operation | LOCK_NB), "lock the VM");
  CheckStillThere(directory, name, lock);
  return lock;
}

struct Locks Lock(const struct Network* network, const struct Vm* vm, struct Held* held) {
  struct Locks locks = {.directory = Hold(held, OpenDirectory(network->lock_path))};
  Hold(held, TakeLock(locks.directory, network->lock_name, LOCK_SH));
  locks.vm = Hold(held, TakeLock(locks.directory, vm->id, LOCK_EX));
  return locks;
}

void RemoveLock(const struct Vm* vm, struct Locks locks) {
  Checked(unlinkat(locks.directory, vm->id, 0), "remove the VM's lock");
}

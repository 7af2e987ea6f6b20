#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

// The file may have been removed between open and flock, by the one who held it.
static int StillThere(const struct Network* network, const struct Vm* vm, int lock) {
  struct stat held, named;
  Checked(fstat(lock, &held), "look at the lock");
  return fstatat(network->lock_directory, vm->id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

int LockVm(const struct Network* network, const struct Vm* vm) {
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const int lock = Checked(openat(network->lock_directory, vm->id, flags, 0600), "open the VM's lock");
  Checked(flock(lock, LOCK_EX | LOCK_NB), "lock the VM");
  if (!StillThere(network, vm, lock)) {
    errno = ESTALE;
    Die("lock the VM");
  }
  return lock;
}

void UnlockVm(const struct Network* network, const struct Vm* vm, int lock) {
  Checked(unlinkat(network->lock_directory, vm->id, 0), "remove the VM's lock");
  close(lock);
}

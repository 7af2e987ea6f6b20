// host-local's store: a file per address, `<containerId>\r\n<ifName>`, all changes under its flock.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "floor.h"

static size_t Owner(char* text, size_t size, const struct Vm* vm) {
  return (size_t)snprintf(text, size, "%s\r\neth0", vm->id);
}

static void FileName(char* name, struct in_addr address) {
  inet_ntop(AF_INET, &address, name, INET_ADDRSTRLEN);
}

static int LockStore(int store) {
  const int lock =
      Checked(openat(store, "lock", O_RDONLY | O_CREAT | O_CLOEXEC, 0750), "open the store's lock");
  Checked(flock(lock, LOCK_EX), "lock the address store");
  return lock;
}

static uint32_t LastReserved(const struct Network* network, int file) {
  char text[INET_ADDRSTRLEN] = {0};
  struct in_addr last = network->gateway;
  pread(file, text, sizeof text - 1, 0);
  inet_pton(AF_INET, text, &last);
  return ntohl(last.s_addr);
}

static struct in_addr After(const struct Network* network, uint32_t address) {
  const uint32_t first = ntohl(network->subnet.s_addr) + 1;
  const uint32_t last = (first | (0xffffffffu >> network->prefix_length)) - 1;
  do {
    address = address >= last ? first : address + 1;
  } while (address == ntohl(network->gateway.s_addr));
  return (struct in_addr){.s_addr = htonl(address)};
}

// The kernel gives no name to an unnamed file except through /proc, which costs more than naming it for a
// moment.
static void WriteOwner(const struct Network* network, const struct Vm* vm) {
  char owner[80];
  const size_t length = Owner(owner, sizeof owner, vm);
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const int file = Checked(openat(network->scratch_directory, vm->id, flags, 0600), "make an address file");
  Checked((int)write(file, owner, length), "write an address file");
  close(file);
}

void ReserveAddress(const struct Network* network, struct Vm* vm) {
  char name[INET_ADDRSTRLEN];
  const int store = OpenDirectory(network->store_path);
  const int lock = LockStore(store);
  WriteOwner(network, vm);
  const int last = Checked(openat(store, "last_reserved_ip.0", O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                           "open last_reserved_ip.0");
  vm->address = After(network, LastReserved(network, last));
  for (;;) {
    FileName(name, vm->address);
    if (linkat(network->scratch_directory, vm->id, store, name, 0) == 0) break;
    if (errno != EEXIST) Die("reserve an address");
    vm->address = After(network, ntohl(vm->address.s_addr));
  }
  const size_t length = strlen(name);
  Checked((int)pwrite(last, name, length, 0), "write last_reserved_ip.0");
  Checked(ftruncate(last, (off_t)length), "write last_reserved_ip.0");
  close(last);
  Checked(unlinkat(network->scratch_directory, vm->id, 0), "remove a scratch file");
  close(lock);
  close(store);
}

void ReleaseAddress(const struct Network* network, const struct Vm* vm) {
  char name[INET_ADDRSTRLEN], owner[80], found[80];
  const size_t length = Owner(owner, sizeof owner, vm);
  FileName(name, vm->address);
  const int store = OpenDirectory(network->store_path);
  const int lock = LockStore(store);
  const int file = Checked(openat(store, name, O_RDONLY | O_CLOEXEC), "open an address file");
  const ssize_t read_length = read(file, found, sizeof found);
  close(file);
  if (read_length != (ssize_t)length || memcmp(found, owner, length) != 0) {
    errno = EPERM;
    Die("release an address of another");
  }
  Checked(unlinkat(store, name, 0), "release an address");
  close(lock);
  close(store);
}

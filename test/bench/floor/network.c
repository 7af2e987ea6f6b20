#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "floor.h"

double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

void Mark(struct Steps* steps, const char* name) {
  const double now = Now();
  steps->all[steps->count].name = name;
  steps->all[steps->count].us = now - steps->last_us;
  steps->count += 1;
  steps->last_us = now;
}

void Die(const char* what) {
  fprintf(stderr, "floor: failed to %s: %s\n", what, strerror(errno));
  exit(1);
}

int Checked(int result, const char* what) {
  if (result < 0) Die(what);
  return result;
}

static const char* Setting(const char* name) {
  const char* value = getenv(name);
  if (value == NULL) {
    errno = EINVAL;
    Die(name);
  }
  return value;
}

int OpenDirectory(const char* path) {
  const int directory = Checked(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path);
  struct stat stat;
  Checked(fstat(directory, &stat), path);
  if (stat.st_uid == 0 && (stat.st_mode & (S_IWGRP | S_IWOTH)) == 0) return directory;
  errno = EPERM;
  Die(path);
}

int Hold(struct Held* held, int descriptor) {
  held->all[held->count++] = descriptor;
  return descriptor;
}

struct Network* OpenNetwork(void) {
  static struct Network network;
  network.name = Setting("BENCH_NETWORK");
  snprintf(network.lock_name, sizeof network.lock_name, ".network-%s", network.name);
  network.bridge = Setting("BENCH_BRIDGE");
  network.table = Setting("BENCH_TABLE");
  inet_aton(Setting("BENCH_SUBNET"), &network.subnet);
  inet_aton(Setting("BENCH_GATEWAY"), &network.gateway);
  network.prefix_length = atoi(Setting("BENCH_PREFIX_LENGTH"));
  network.config_base64 = Setting("BENCH_CONFIG_BASE64");
  network.host_namespace = Checked(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "open the namespace");
  network.netns_path = Setting("BENCH_NETNS_DIR");
  network.lock_path = Setting("BENCH_LOCK_DIR");
  network.record_path = Setting("BENCH_RECORD_DIR");
  network.store_path = Setting("BENCH_STORE_DIR");
  network.scratch_directory = OpenDirectory(Setting("BENCH_SCRATCH_DIR"));
  network.sysctl_directory = OpenDirectory("/proc/sys/net/ipv6/conf");
  network.link_socket = OpenNetlink(NETLINK_ROUTE);
  network.nft_socket = OpenNetlink(NETLINK_NETFILTER);
  return &network;
}

static uint64_t Hash(const char* text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (; *text != '\0'; ++text) hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
  return hash;
}

void NameVm(struct Vm* vm, const char* id) {
  *vm = (struct Vm){0};
  snprintf(vm->id, sizeof vm->id, "%s", id);
  const uint64_t hash = Hash(id);
  snprintf(vm->host_link, sizeof vm->host_link, "vn%012llx", (unsigned long long)(hash >> 16));
  memcpy(vm->host_mac, &hash, sizeof vm->host_mac);
  memcpy(vm->guest_mac, &hash, sizeof vm->guest_mac);
  vm->host_mac[0] = 0x02;
  vm->guest_mac[0] = 0x06;
}

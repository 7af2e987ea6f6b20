// The floor: a native `setup` and `teardown` at their cheapest, raw system calls and netlink, nothing else.
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "netlink.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// What all VMs share. Nothing that somebody may put another thing in the place of stays open between two
// operations.
struct Network {
  const char* name;
  char lock_name[80];
  const char* bridge;
  const char* table;
  struct in_addr subnet;
  struct in_addr gateway;
  int prefix_length;
  const char* config_base64;
  int host_namespace;
  // Where an address file is made before it is linked into the store: same file system, never the store
  // itself.
  int scratch_directory;
  int sysctl_directory;
  int link_socket;
  int nft_socket;
  const char* netns_path;
  const char* lock_path;
  const char* record_path;
  const char* store_path;
};

struct Vm {
  char id[65];
  char host_link[16];
  uint8_t host_mac[6];
  uint8_t guest_mac[6];
  struct in_addr address;
};

// What an operation holds until its result is out: it is let go of behind it.
struct Held {
  int all[8];
  int count;
};

// Microseconds of each step of one operation, in the order in which they ran.
struct Steps {
  struct {
    const char* name;
    double us;
  } all[16];
  int count;
  double last_us;
};

double Now(void);
void Mark(struct Steps* steps, const char* name);

// Every failure ends the process: a benchmark whose step failed has measured nothing.
void Die(const char* what) __attribute__((noreturn));
int Checked(int result, const char* what);
// One that nobody else can change.
int OpenDirectory(const char* path);
// Returns the descriptor.
int Hold(struct Held* held, int descriptor);

struct Network* OpenNetwork(void);
void NameVm(struct Vm* vm, const char* id);

void SetUp(const struct Network* network, struct Vm* vm, struct Steps* steps, struct Held* held);
void TearDown(const struct Network* network, const struct Vm* vm, struct Steps* steps, struct Held* held);

// The network's shared, the VM's alone.
struct Locks {
  int directory;
  int vm;
};
struct Locks Lock(const struct Network* network, const struct Vm* vm, struct Held* held);
void RemoveLock(const struct Vm* vm, struct Locks locks);

void ReserveAddress(const struct Network* network, struct Vm* vm);
void ReleaseAddress(const struct Network* network, const struct Vm* vm);

// Leaves the thread in the new namespace; returns the namespace's descriptor.
int CreateAnchor(const struct Network* network, const struct Vm* vm, struct Locks locks);
void RemoveAnchor(const struct Network* network, const struct Vm* vm);

// In the calling thread's namespace. The caller closes what it returns: a VMM could not attach before that.
int CreateTap(const char* name, uid_t owner, gid_t group);

// The pair, the host end down; its other end is born in `netns`.
void CreateLinks(const struct Network* network, const struct Vm* vm, int netns);
void DisableIpv6(const struct Network* network, const struct Vm* vm);
void SetHostLinkUp(const struct Network* network, const struct Vm* vm);
void CutHostLink(const struct Network* network, const struct Vm* vm);

// All that is inside the namespace, in one send.
void ConfigureNamespace(const struct Network* network, const struct Vm* vm, int socket);

void AddElements(const struct Network* network, const struct Vm* vm);
void DeleteElements(const struct Network* network, const struct Vm* vm);

int RecordExists(const struct Network* network, const struct Vm* vm, int directory);
void WriteRecord(const struct Network* network, const struct Vm* vm, int directory);
void RemoveRecord(const struct Network* network, const struct Vm* vm);

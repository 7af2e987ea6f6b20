// Reads `setup ID` and `teardown ID` from stdin; answers each with a line of JSON: microseconds, and those of
// each step.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"

enum { kMaxVms = 1024 };

static struct Vm* Find(struct Vm* vms, const char* id) {
  for (int i = 0; i < kMaxVms; ++i) {
    if (strcmp(vms[i].id, id) == 0) return &vms[i];
  }
  errno = id[0] == '\0' ? ENOSPC : ENOENT;
  Die("find the VM");
}

static void Print(const char* verb, const char* id, double us, const struct Steps* steps) {
  printf("{\"verb\":\"%s\",\"id\":\"%s\",\"us\":%.2f,\"steps\":{", verb, id, us);
  for (int i = 0; i < steps->count; ++i) {
    printf("%s\"%s\":%.2f", i == 0 ? "" : ",", steps->all[i].name, steps->all[i].us);
  }
  printf("}}\n");
  fflush(stdout);
}

int main(void) {
  static struct Vm vms[kMaxVms];
  const struct Network* network = OpenNetwork();
  char line[128], verb[16], id[65];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "%15s %64s", verb, id) != 2) continue;
    const int adding = strcmp(verb, "setup") == 0;
    struct Vm* vm = Find(vms, adding ? "" : id);
    if (adding) NameVm(vm, id);
    const double begin = Now();
    struct Steps steps = {.last_us = begin};
    struct Held held = {.count = 0};
    if (adding) {
      SetUp(network, vm, &steps, &held);
    } else {
      TearDown(network, vm, &steps, &held);
    }
    Print(verb, id, Now() - begin, &steps);
    for (int i = 0; i < held.count; ++i) close(held.all[i]);
    if (!adding) *vm = (struct Vm){0};
  }
  return 0;
}

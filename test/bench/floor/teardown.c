#include "floor.h"

void TearDown(const struct Network* network, const struct Vm* vm, struct Steps* steps) {
  const int lock = LockVm(network, vm);
  Mark(steps, "lock");
  CutHostLink(network, vm);
  Mark(steps, "cut");
  DeleteElements(network, vm);
  Mark(steps, "elements");
  RemoveAnchor(network, vm);
  Mark(steps, "namespace");
  ReleaseAddress(network, vm);
  Mark(steps, "address");
  RemoveRecord(network, vm);
  UnlockVm(network, vm, lock);
  Mark(steps, "record");
}

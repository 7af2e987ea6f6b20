#include "floor.h"

void TearDown(const struct Network* network, const struct Vm* vm, struct Steps* steps, struct Held* held) {
  const struct Locks locks = Lock(network, vm, held);
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
  RemoveLock(vm, locks);
  Mark(steps, "record");
}

#pragma once

#include <memory>
#include <vector>

#include "addon/convert.h"
#include "addon/handle_table.h"
#include "engine/slot.h"

namespace vulcan::addon {

// The slots that plans of lib/native/slots.ts name by their numbers. Each throws a TypeError where there is
// no such slot.
[[nodiscard]] std::shared_ptr<Slot> SlotOf(const HandleTable<Slot>& slots, const Fields& fields);
[[nodiscard]] std::vector<std::shared_ptr<Slot>> SlotsOf(const HandleTable<Slot>& slots,
                                                         const Fields& fields);
// JavaScript no longer has them.
[[nodiscard]] std::vector<std::shared_ptr<Slot>> TakeSlots(HandleTable<Slot>& slots, const Fields& fields);

}  // namespace vulcan::addon

#pragma once

#include <string>
#include <vector>

#include "engine/attachment_plan.h"
#include "sys/address_store.h"

namespace vulcan {

// With the addresses in it that were reserved: what is left stands for names, and no two texts are
// neighbours.
[[nodiscard]] RecordText WithAddresses(const RecordText& text, const std::vector<ReservedAddress>& addresses);

// All of it, for the VM of these locks; nothing in it may stand for an address.
[[nodiscard]] std::string WithNames(const RecordText& text, const AttachmentLocks& locks);

}  // namespace vulcan

#pragma once

#include <string>
#include <vector>

#include "engine/attachment_plan.h"
#include "sys/address_store.h"

namespace vulcan {

// All of the requests, or none.
[[nodiscard]] std::vector<ReservedAddress> ReserveAll(AddressStore& store, const AddressPlan& plan,
                                                      AddressHints& hints);

}  // namespace vulcan

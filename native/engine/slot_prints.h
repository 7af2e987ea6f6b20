#pragma once

#include "netlink/fingerprint.h"
#include "netlink/rtnl_socket.h"
#include "sys/link_features.h"

namespace vulcan {

struct Slot;

// What a slot that is to be recycled looked like when it was made.
struct SlotPrints {
  Fingerprint inside;
  Fingerprint links;
  Fingerprint host_link;
  LinkFeatures tap_features;
};

[[nodiscard]] SlotPrints TakePrints(const Slot& slot, RtnlSocket& inside, RtnlSocket& host);

// Each throws kSlotSpoilt where the slot does not look like that any more: what is set in its namespace, the
// links there, and the host's link.
void CompareInside(const Slot& slot, RtnlSocket& inside);
void CompareLinks(const Slot& slot, RtnlSocket& inside);
// Whether the link has an alias, which makes no difference.
[[nodiscard]] bool CompareHostLink(const Slot& slot, RtnlSocket& host);

}  // namespace vulcan

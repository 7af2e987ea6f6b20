#include "engine/slot_prints.h"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "base/error.h"
#include "engine/slot.h"

namespace vulcan {
namespace {

[[nodiscard]] const SlotPrints& PrintsOf(const Slot& slot) {
  if (slot.prints) return *slot.prints;
  throw Error(EINVAL, RtnlTypeName(RTM_GETLINK), "the slot was not made to be recycled")
      .Why(Reason::kSlotSpoilt);
}

void Compare(const Fingerprint& before, const Fingerprint& now) {
  const auto difference = before.DifferenceTo(now);
  if (!difference) return;
  throw Error(EEXIST, RtnlTypeName(RTM_GETLINK), "its " + *difference + " are not as they were made")
      .Why(Reason::kSlotSpoilt);
}

[[nodiscard]] std::vector<std::string> LinksOf(const Slot& slot) {
  return {slot.interface.tap, slot.interface.name};
}

}  // namespace

SlotPrints TakePrints(const Slot& slot, RtnlSocket& inside, RtnlSocket& host) {
  return {FingerprintNamespace(inside, LinksOf(slot)), FingerprintLinks(inside, LinksOf(slot)),
          FingerprintLink(host, slot.host_index).fingerprint,
          GetLinkFeatures(inside.Fd(), slot.interface.tap)};
}

void CompareInside(const Slot& slot, RtnlSocket& inside) {
  Compare(PrintsOf(slot).inside, FingerprintNamespace(inside, LinksOf(slot)));
}

void CompareLinks(const Slot& slot, RtnlSocket& inside) {
  Compare(PrintsOf(slot).links, FingerprintLinks(inside, LinksOf(slot)));
}

bool CompareHostLink(const Slot& slot, RtnlSocket& host) {
  const LinkPrint link = FingerprintLink(host, slot.host_index);
  Compare(PrintsOf(slot).host_link, link.fingerprint);
  return link.has_alias;
}

}  // namespace vulcan

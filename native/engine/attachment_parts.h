#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/attachment_plan.h"
#include "engine/guard.h"
#include "engine/namespace_source.h"
#include "sys/address_store.h"
#include "sys/directory.h"
#include "sys/file_store.h"
#include "sys/lock.h"

namespace vulcan {

// The steps that an attachment and a slot have in common. What they make goes away with the namespace, so
// there is nothing to undo but what has a name or a place elsewhere.

// Where an attachment gets its names, as far as that is there: opened once.
struct Places {
  std::optional<Directory> records;
  std::optional<Directory> anchors;
};

// EEXIST with reason kAttachmentExists, or kForeign where what has the anchor's name is not claimed.
[[nodiscard]] Places RefuseExisting(const FileName& record, const FileName& anchor, const Lock& vm);

// It has no name yet.
[[nodiscard]] UnpublishedFile WriteRecord(Places& places, const FileName& record, const std::string& text);

// Made if it is missing.
[[nodiscard]] const Directory& AnchorsOf(Places& places, const FileName& anchor,
                                         const Cancellation& cancellation);

[[nodiscard]] guard::Port GuardedPort(const InterfacePlan& plan,
                                      const std::vector<ReservedAddress>& addresses);

[[nodiscard]] TapPlan TapOf(const InterfacePlan& plan);

// Of the plan, for a VMM to attach to: the one that was made ahead, or a new one.
void AddTap(NewNamespace& inside, const InterfacePlan& plan);

// The index of the plan's bridge; where the link becomes its port, it has room. ENETDOWN where it has to be
// up.
[[nodiscard]] int BridgeFor(AttachmentHost& host, const InterfacePlan& plan);

// What the plan's guest comes through.
[[nodiscard]] firewall::Entrance EntranceOf(const InterfacePlan& plan);

// That the firewall knows what the plan's guest comes through: a network that was removed is not to get
// another.
void RequireFirewall(nft::Socket& socket, const std::optional<firewall::Need>& need,
                     const InterfacePlan& plan);

[[nodiscard]] bool HasHostRoutes(const InterfacePlan& plan);

// The link pair, the host's end a port of the bridge, unless it is routed to, and down.
void AddLinks(AttachmentHost& host, const InterfacePlan& plan, int bridge, int netns_fd);

void SetHostLinkDown(RtnlSocket& host, const std::string& link);

// The host's own to each address, while that is nobody else's.
void RemoveRoutes(AttachmentHost& host, const std::vector<ReservedAddress>& addresses);

// An undo's step: under the store's lock, which is waited for shortly. It refers to what it is given.
class ReleaseAll {
 public:
  ReleaseAll(AttachmentHost& host, const AddressPlan& plan, const std::vector<ReservedAddress>& addresses)
      : host_(host), plan_(plan), addresses_(addresses) {}

  [[nodiscard]] std::optional<Wait> operator()();

 private:
  AttachmentHost& host_;
  const AddressPlan& plan_;
  const std::vector<ReservedAddress>& addresses_;
  std::optional<AddressStoreRequest> request_;
};

}  // namespace vulcan

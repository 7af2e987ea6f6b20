#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/undo.h"
#include "base/unique_fd.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/attachment_plan.h"
#include "engine/guard.h"
#include "engine/namespace_source.h"
#include "engine/slot_prints.h"
#include "netlink/rtnl_socket.h"
#include "sys/address_store.h"
#include "sys/file_store.h"
#include "sys/lock.h"

namespace vulcan {

// What only a thread in the namespace of a slot can open.
struct EnteredSlot {
  RtnlSocket links;
  UniqueFd tun;
};

// Where it is written down whose a slot is, once it is a VM's.
struct SlotPlaces {
  std::string locks;
  std::optional<std::string> network_lock;
  std::string anchors;
  std::string records;
};

// What a slot has become, by the names that it has in those places.
struct SlotVm {
  std::string lock;
  std::string anchor;
  std::string record;
  FileVersion record_version;
  // Of the addresses.
  std::string owner;
};

// An attachment without a name, for a VM that is yet to come. Its links go with the last reference to its
// namespace, which this object holds; its address and its guard are DestroySlots' to release. The host's end
// is up, as setting it up needs RTNL: what the bridge floods to it ends at the TAP, which nobody can open.
struct Slot {
  // Empty while the slot is a VM's.
  UniqueFd ns;
  std::string host_link;
  // Whether the host has a route to each of its addresses, which does not go with the link.
  bool host_routes = false;
  std::optional<guard::Port> guard;
  // Those that guard it, unless somebody has replaced them since.
  guard::TableHandles guard_tables;
  // Whoever owns them holds a lock that tells whether it is alive.
  std::string address_directory;
  std::string owner;
  std::vector<ReservedAddress> addresses;
  InterfacePlan interface;
  SlotPlaces places;
  // Of the VM that it becomes, but for its names.
  RecordText record_text;
  // By whose elements the firewall knows it; absent: whoever made it doesn't need one.
  std::optional<std::string> firewalled;
  // From its naming to its return.
  std::optional<SlotVm> vm;
  // From a VM's naming until the slot is as it was made: whoever was the VM may be in its namespace.
  bool was_vms = false;
  int host_index = 0;
  // Of interface.bridge.
  int bridge_index = 0;
  // Of one that is to be recycled.
  std::optional<SlotPrints> prints;
  // Between its proof and its entry: of which addresses the host may still track connections.
  std::vector<IpAddress> tracked;
  // Between its entry and its reset.
  std::optional<EnteredSlot> entered;
};

struct SlotPlan {
  // The network's is; the VM's is none of its concern.
  AttachmentLocks locks;
  // As in an AttachPlan.
  std::optional<firewall::Need> firewall;
  AddressPlan addresses;
  InterfacePlan interface;
  std::string anchors;
  std::string records;
  RecordText record_text;
  // Whether ResetSlots will have to know what it was like.
  bool recycled = false;
};

// Builds one, or nothing. Lets others go first after each step, so that nobody waits for a whole slot, and
// waits while the kernel is busy with what others have let go of.
class FillSlot {
 public:
  FillSlot(SlotPlan plan, AttachmentHost& host);

  [[nodiscard]] Progress<Slot> Step(const Cancellation& cancellation);

 private:
  enum class Stage { kFirst, kNetwork, kAddress, kNamespace, kLinks, kInside, kUp, kLast };

  [[nodiscard]] Progress<Slot> Advance(const Cancellation& cancellation);
  // A wait that is over once whoever was there before has had a turn.
  [[nodiscard]] Wait Next(Stage stage, const char* step);
  void MakeNamespace();
  void MakeLinks(const Cancellation& cancellation);
  [[nodiscard]] Slot Finish();
  void SetUp();

  SlotPlan plan_;
  AttachmentHost& host_;
  // gc holds it alone: it never meets a slot that is half built.
  LockRequest network_request_;
  std::optional<Lock> network_;
  AddressStoreRequest store_request_;
  UndoStack undo_;
  // From then on all is taken back.
  std::optional<Error> failure_;
  Stage stage_ = Stage::kFirst;
  const char* step_ = "freeing";
  int bridge_ = 0;
  std::optional<NewNamespace> inside_;
  std::optional<guard::Port> guard_;
  guard::TableHandles guard_tables_;
  std::vector<ReservedAddress> addresses_;
};

// Lets go of all that they have, after a cut that lasts of those that were a VM's. One that can't be cut off
// keeps what it has on the host. What fails is gathered, and the rest is done.
class DestroySlots {
 public:
  DestroySlots(std::vector<std::shared_ptr<Slot>> slots, AttachmentHost& host)
      : slots_(std::move(slots)), host_(host) {}

  // Waits for the stores of their addresses only, for each once.
  [[nodiscard]] Progress<std::vector<Error>> Step();

 private:
  // All but the addresses.
  void Dismantle();
  // Those of the first that still has any, and of all others of its store.
  [[nodiscard]] std::optional<Wait> ReleaseAddresses();

  std::vector<std::shared_ptr<Slot>> slots_;
  AttachmentHost& host_;
  bool begun_ = false;
  // Those that have nothing left but their addresses.
  std::vector<std::shared_ptr<Slot>> bare_;
  std::optional<AddressStoreRequest> store_request_;
  std::vector<Error> errors_;
};

}  // namespace vulcan

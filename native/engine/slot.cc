#include "engine/slot.h"

#include <chrono>
#include <utility>

#include "base/error.h"
#include "engine/attachment_links.h"
#include "engine/attachment_parts.h"
#include "engine/record_text.h"
#include "engine/reservation.h"
#include "engine/slot_addresses.h"
#include "engine/slot_cut.h"
#include "sys/descriptors.h"

namespace vulcan {
namespace {

constexpr std::chrono::milliseconds kReleaseTimeout{2'000};
constexpr std::chrono::milliseconds kFreeingPause{5};

// Whether nothing was thrown.
template <typename Body>
bool Gather(std::vector<Error>& errors, const char* step, Body body) {
  try {
    body();
    return true;
  } catch (...) {
    errors.push_back(CurrentError().At(step));
    return false;
  }
}

// The store of the directory that was asked for last, which is waited for once.
class LastStore {
 public:
  // Throws what kept it from being opened, each time.
  [[nodiscard]] AddressStore& Of(const std::string& directory) {
    if (directory != directory_) Open(directory);
    if (failure_) throw Error(*failure_);
    return *store_;
  }

 private:
  void Open(const std::string& directory) {
    store_.reset();
    failure_.reset();
    directory_ = directory;
    try {
      const Cancellation never;
      store_.emplace(RunToEnd(AddressStoreRequest(directory, kReleaseTimeout, UnreadyStore::kChange), never));
    } catch (...) {
      failure_ = CurrentError();
    }
  }

  std::string directory_;
  std::optional<AddressStore> store_;
  std::optional<Error> failure_;
};

// Those that nobody talks from any more: a link lives as long as whoever is in its namespace.
[[nodiscard]] std::vector<std::shared_ptr<Slot>> CutOff(const std::vector<std::shared_ptr<Slot>>& slots,
                                                        AttachmentHost& host, std::vector<Error>& errors) {
  std::vector<std::shared_ptr<Slot>> cut;
  std::vector<std::shared_ptr<Slot>> left;
  for (const auto& slot : slots) (slot->was_vms ? left : cut).push_back(slot);
  Gather(errors, "cut", [&] {
    auto against = CutLeftSlots(left, host);
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (against[i]) {
        errors.push_back(std::move(against[i]->At("cut")));
      } else {
        cut.push_back(left[i]);
      }
    }
  });
  return cut;
}

}  // namespace

FillSlot::FillSlot(SlotPlan plan, AttachmentHost& host)
    : plan_(std::move(plan)),
      host_(host),
      network_request_(plan_.locks.directory, plan_.locks.network.value_or(""), LockMode::kShared,
                       plan_.locks.timeout),
      store_request_(plan_.addresses.directory, plan_.locks.timeout) {}

Progress<Slot> FillSlot::Step(const Cancellation& cancellation) {
  try {
    cancellation.ThrowIfCancelled();
    return Advance(cancellation);
  } catch (...) {
    Error error = CurrentError();
    if (error.Step().empty()) error.At(step_);
    undo_.Unwind(error);
    inside_.reset();
    throw error;
  }
}

Wait FillSlot::Next(Stage stage, const char* step) {
  stage_ = stage;
  step_ = step;
  return {{}, Clock::now()};
}

Progress<Slot> FillSlot::Advance(const Cancellation& cancellation) {
  switch (stage_) {
    case Stage::kFirst:
      if (!host_.Freeing().AreMany()) return Next(Stage::kNetwork, "lock");
      return Wait{{{cancellation.Fd(), POLLIN, 0}}, Clock::now() + kFreeingPause};
    case Stage::kNetwork: {
      host_.Namespaces().Begin(TapOf(plan_.interface));
      auto progress = network_request_.Try(cancellation);
      if (progress.wait) return std::move(*progress.wait);
      network_ = std::move(progress.result);
      return Next(Stage::kAddress, "address");
    }
    case Stage::kAddress: {
      auto store = store_request_.Try(cancellation);
      if (store.wait) return std::move(*store.wait);
      addresses_ = ReserveAll(*store.result, plan_.addresses, host_.Addresses());
      undo_.Push([this] { ReleaseAll(host_, plan_.addresses, addresses_); });
      return Next(Stage::kNamespace, "bridge");
    }
    case Stage::kNamespace:
      MakeNamespace();
      return Next(Stage::kLinks, "guard");
    case Stage::kLinks:
      MakeLinks(cancellation);
      return Next(Stage::kInside, "inside");
    case Stage::kInside:
      ConfigureInside(inside_->links, plan_.interface, addresses_);
      return Next(Stage::kUp, "up");
    case Stage::kUp:
      SetUp();
      return Next(Stage::kLast, "slot");
    case Stage::kLast:
      break;
  }
  return Finish();
}

void FillSlot::MakeNamespace() {
  bridge_ = BridgeFor(host_, plan_.interface);
  step_ = "firewall";
  RequireFirewall(host_.Nft(), plan_.firewall, plan_.interface);
  step_ = "tap";
  inside_ = host_.Namespaces().Take(TapOf(plan_.interface));
  RefuseOwnersDescriptor(inside_->fd.Get());
  AddTap(*inside_, plan_.interface);
}

void FillSlot::MakeLinks(const Cancellation& cancellation) {
  if (plan_.interface.guarded) {
    guard_ = GuardedPort(plan_.interface, addresses_);
    undo_.Push([this] { guard::Remove(host_.Nft(), *guard_); });
    guard_tables_ = guard::NeedTables(host_.Nft(), guard_->routed, cancellation);
    guard::Add(host_.Nft(), *guard_, cancellation);
  }
  step_ = "link";
  AddLinks(host_, plan_.interface, bridge_, inside_->fd.Get());
}

void FillSlot::SetUp() {
  if (HasHostRoutes(plan_.interface)) {
    undo_.Push([this] { RemoveRoutes(host_, addresses_); });
  }
  SetHostLinkUp(host_.Links(), plan_.interface, addresses_);
}

Slot FillSlot::Finish() {
  Slot slot;
  slot.host_link = plan_.interface.host_link;
  slot.host_routes = HasHostRoutes(plan_.interface);
  slot.guard = guard_;
  slot.guard_tables = guard_tables_;
  slot.address_directory = plan_.addresses.directory;
  slot.owner = plan_.addresses.owner;
  slot.addresses = addresses_;
  slot.interface = plan_.interface;
  slot.places = {plan_.locks.directory, plan_.locks.network, plan_.anchors, plan_.records};
  slot.record_text = WithAddresses(plan_.record_text, addresses_);
  if (plan_.firewall) slot.firewalled = plan_.firewall->network;
  slot.bridge_index = bridge_;
  slot.host_index = host_.Links().IndexOf(slot.host_link).value_or(0);
  if (plan_.recycled) slot.prints = TakePrints(slot, inside_->links, host_.Links());
  slot.ns = std::move(inside_->fd);
  return slot;
}

std::vector<Error> DestroySlots(const std::vector<std::shared_ptr<Slot>>& slots, AttachmentHost& host) {
  std::vector<Error> errors;
  const std::vector<std::shared_ptr<Slot>> cut = CutOff(slots, host, errors);
  std::vector<guard::Port> guarded;
  for (const auto& slot : cut) {
    if (slot->guard) guarded.push_back(*slot->guard);
  }
  const bool unguarded = Gather(errors, "guard", [&] { guard::RemoveAll(host.Nft(), guarded); });
  // An address that stays leads whoever finds its owner dead to what has stayed with it.
  std::vector<std::shared_ptr<Slot>> bare;
  for (const auto& slot : cut) {
    const bool unrouted = !slot->host_routes ||
                          Gather(errors, "route", [&] { RemoveRoutes(host, AddressesOfNobodyElse(*slot)); });
    if (unrouted && (unguarded || !slot->guard)) bare.push_back(slot);
  }
  // All at once, and after whatever needs RTNL: the kernel holds it while it frees them.
  for (const auto& slot : slots) {
    slot->entered.reset();
    slot->ns.Reset();
    host.Freeing().Add(slot->host_link);
  }
  LastStore store;
  for (const auto& slot : bare) {
    const auto release = [&] {
      for (const ReservedAddress& each : slot->addresses) {
        store.Of(slot->address_directory).Release(each.address, slot->owner, host.Addresses());
      }
    };
    Gather(errors, "address", [&] { UnlessStoreIsMissing(release); });
  }
  return errors;
}

}  // namespace vulcan

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
    if (!failure_) {
      cancellation.ThrowIfCancelled();
      return Advance(cancellation);
    }
  } catch (...) {
    failure_ = CurrentError();
    if (failure_->Step().empty()) failure_->At(step_);
  }
  if (auto wait = undo_.TryUnwind(*failure_)) return std::move(*wait);
  inside_.reset();
  throw Error(*failure_);
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
      undo_.PushWaiting(ReleaseAll(host_, plan_.addresses, addresses_));
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

Progress<std::vector<Error>> DestroySlots::Step() {
  if (!begun_) Dismantle();
  begun_ = true;
  while (!bare_.empty()) {
    if (auto wait = ReleaseAddresses()) return std::move(*wait);
  }
  return std::move(errors_);
}

void DestroySlots::Dismantle() {
  const std::vector<std::shared_ptr<Slot>> cut = CutOff(slots_, host_, errors_);
  std::vector<guard::Port> guarded;
  for (const auto& slot : cut) {
    if (slot->guard) guarded.push_back(*slot->guard);
  }
  const bool unguarded = Gather(errors_, "guard", [&] { guard::RemoveAll(host_.Nft(), guarded); });
  // An address that stays leads whoever finds its owner dead to what has stayed with it.
  for (const auto& slot : cut) {
    const bool unrouted = !slot->host_routes || Gather(errors_, "route", [&] {
      RemoveRoutes(host_, AddressesOfNobodyElse(*slot));
    });
    if (unrouted && (unguarded || !slot->guard)) bare_.push_back(slot);
  }
  // All at once, and after whatever needs RTNL: the kernel holds it while it frees them.
  for (const auto& slot : slots_) {
    slot->entered.reset();
    slot->ns.Reset();
    host_.Freeing().Add(slot->host_link);
  }
}

std::optional<Wait> DestroySlots::ReleaseAddresses() {
  const std::string directory = bare_.front()->address_directory;
  if (!store_request_) store_request_.emplace(directory, kReleaseTimeout, UnreadyStore::kChange);
  const auto its = [&directory](const auto& slot) { return slot->address_directory == directory; };
  std::optional<Wait> wait;
  const auto release = [&] {
    auto store = store_request_->Try();
    wait = std::move(store.wait);
    if (wait) return;
    for (const auto& slot : bare_) {
      if (!its(slot)) continue;
      Gather(errors_, "address", [&] {
        for (const ReservedAddress& each : slot->addresses) {
          store.result->Release(each.address, slot->owner, host_.Addresses());
        }
      });
    }
  };
  Gather(errors_, "address", [&] { UnlessStoreIsMissing(release); });
  if (wait) return wait;
  store_request_.reset();
  std::erase_if(bare_, its);
  return std::nullopt;
}

}  // namespace vulcan

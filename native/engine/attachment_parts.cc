#include "engine/attachment_parts.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "engine/attachment_links.h"
#include "engine/host_routes.h"
#include "netlink/link_change.h"
#include "sys/anchor_directory.h"

namespace vulcan {
namespace {

constexpr std::chrono::milliseconds kUndoTimeout{2'000};
constexpr mode_t kRecordMode = 0600;

[[nodiscard]] std::optional<Directory> OpenWithout(const FileName& file, Reason reason) {
  auto directory = Directory::OpenIfPresent(file.directory);
  if (directory && HasFile(*directory, file.name)) {
    throw Error(EEXIST, "faccessat").Path(directory->PathOf(file.name)).Why(reason);
  }
  return directory;
}

}  // namespace

Places RefuseExisting(const FileName& record, const FileName& anchor, const Lock& vm) {
  Places places;
  places.records = OpenWithout(record, Reason::kAttachmentExists);
  places.anchors = OpenWithout(anchor, vm.ReadClaim().netns ? Reason::kAttachmentExists : Reason::kForeign);
  // Of a VM that has neither, a killed process has left it: with an address, or a namespace that lives on.
  if (!vm.IsNew()) throw Error(EEXIST, "openat").Path(anchor.name).Why(Reason::kAttachmentExists);
  return places;
}

UnpublishedFile WriteRecord(Places& places, const FileName& record, const std::string& text) {
  if (!places.records) places.records = OpenStateDirectory(record.directory);
  return {*places.records, text, kRecordMode};
}

const Directory& AnchorsOf(Places& places, const FileName& anchor, const Cancellation& cancellation) {
  if (!places.anchors || !places.anchors->IsMount()) {
    places.anchors = OpenAnchorDirectory(anchor.directory, cancellation);
  }
  return *places.anchors;
}

guard::Port GuardedPort(const InterfacePlan& plan, const std::vector<ReservedAddress>& addresses) {
  guard::Port port{plan.host_link, {}, !IsPort(plan)};
  for (const ReservedAddress& each : addresses) port.bindings.push_back({plan.mac, each.address});
  for (const IpAddress& each : plan.guard_addresses) port.bindings.push_back({plan.mac, each});
  return port;
}

TapPlan TapOf(const InterfacePlan& plan) { return {plan.tap, plan.tap_owner}; }

void AddTap(NewNamespace& inside, const InterfacePlan& plan) {
  RequireTun();
  if (!inside.tap) {
    try {
      CreateTap(std::move(inside.tun), plan.tap, plan.tap_owner);
    } catch (const Error&) {
      if (inside.links.IndexOf(plan.tap)) throw Error(EEXIST, "ioctl(TUNSETIFF)").Path(plan.tap);
      throw;
    }
    return;
  }
  if (inside.tap->Owner() != plan.tap_owner) inside.tap->GiveTo(plan.tap_owner);
  inside.tap->Persist();
  // While it is open a VMM gets EBUSY.
  inside.tap.reset();
}

void AddLinks(AttachmentHost& host, const InterfacePlan& plan, int bridge, int netns_fd) {
  try {
    AddHostLink(host.Links(), plan, bridge, netns_fd);
  } catch (const Error& error) {
    if (error.GetReason() == Reason::kBridgeFull) host.ForgetPorts(bridge);
    throw;
  }
  if (IsPort(plan)) host.CountPort(bridge);
  host.DisableIpv6(plan.host_link);
}

int BridgeFor(AttachmentHost& host, const InterfacePlan& plan) {
  const int index = IsPort(plan) ? host.BridgeWithRoom(plan.bridge) : host.NeedBridge(plan.bridge);
  if (!plan.bridge_up || host.Links().IsUp(plan.bridge)) return index;
  throw Error(ENETDOWN, "ioctl(SIOCGIFFLAGS)", "the bridge is down").Path(plan.bridge);
}

firewall::Entrance EntranceOf(const InterfacePlan& plan) {
  const auto* routed = std::get_if<RoutedPort>(&plan.port);
  if (routed != nullptr) return routed->group;
  return plan.bridge;
}

void RequireFirewall(nft::Socket& socket, const std::optional<firewall::Need>& need,
                     const InterfacePlan& plan) {
  if (need) firewall::Require(socket, *need, {EntranceOf(plan)});
}

bool HasHostRoutes(const InterfacePlan& plan) {
  const auto* port = std::get_if<BridgePort>(&plan.port);
  return port == nullptr || port->host_routes;
}

void SetHostLinkDown(RtnlSocket& host, const std::string& link) {
  LinkChange down;
  down.up = false;
  host.Request(SetLink(link, down));
}

void RemoveRoutes(AttachmentHost& host, const std::vector<ReservedAddress>& addresses) {
  for (const ReservedAddress& each : addresses) {
    static_cast<void>(RemoveRoute(host.Links(), {each.address, each.address.Bits()}));
  }
}

std::optional<Wait> ReleaseAll::operator()() {
  if (!request_) request_.emplace(plan_.directory, kUndoTimeout, UnreadyStore::kChange);
  std::optional<Wait> wait;
  UnlessStoreIsMissing([&] {
    auto store = request_->Try();
    wait = std::move(store.wait);
    if (wait) return;
    for (const ReservedAddress& each : addresses_) {
      store.result->Release(each.address, plan_.owner, host_.Addresses());
    }
  });
  return wait;
}

}  // namespace vulcan

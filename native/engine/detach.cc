#include "engine/detach.h"

#include <algorithm>
#include <cerrno>

#include "engine/host_routes.h"
#include "netlink/bridge_port.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "sys/anchor.h"
#include "sys/file_store.h"
#include "sys/link_presence.h"

namespace vulcan {
namespace {

void CutLink(RtnlSocket& host, int link, bool routed) {
  if (!routed) {
    try {
      return host.Request(CutPort(link));
    } catch (const Error& error) {
      // Somebody took it off the bridge, and may have given it another way.
      if (error.Errnum() != EOPNOTSUPP) throw;
    }
  }
  LinkChange down;
  down.up = false;
  host.Request(SetLink(link, down));
}

}  // namespace

Detach::Detach(DetachPlan plan, AttachmentHost& host)
    : plan_(std::move(plan)), host_(host), lock_(plan_.locks, LockFile::kPresent) {
  if (plan_.addresses) {
    store_request_.emplace(plan_.addresses->directory, plan_.locks.timeout, UnreadyStore::kChange);
  }
}

Progress<DetachResult> Detach::Step(const Cancellation& cancellation) {
  if (!begun_) {
    clock_.Begin("lock");
    if (auto wait = Acquire(cancellation)) return std::move(*wait);
    begun_ = true;
    if (IsStale()) {
      lock_.RemoveUnclaimed();
      result_.stale = true;
      return std::move(result_);
    }
    result_.cut = Try("cut", [this] { Cut(); });
    if (result_.stale) return std::move(result_);
    // The address of a VM that still talks is not to be given to another.
    if (!result_.cut) return std::move(result_);
    Try("guard", [this] {
      if (plan_.guard) guard::Remove(host_.Nft(), *plan_.guard);
    });
    // Before the address may be another's.
    Try("route", [this] {
      for (const IpAddress& each : plan_.host_routes) {
        static_cast<void>(RemoveRoute(host_.Links(), {each, each.Bits()}));
      }
    });
    Try("anchor", [this] { RemoveName(); });
  }
  if (auto wait = ReleaseAddresses()) return std::move(*wait);
  if (!KeepsSomething()) Try("record", [this] { Forget(); });
  result_.steps = clock_.End();
  return std::move(result_);
}

std::optional<Wait> Detach::Acquire(const Cancellation& cancellation) {
  try {
    if (auto wait = lock_.Acquire(cancellation)) return wait;
    result_.netns = lock_.Vm().ReadClaim().netns;
    return std::nullopt;
  } catch (Error& error) {
    throw error.At("lock");
  }
}

bool Detach::Try(const char* step, const std::function<void()>& body) {
  clock_.Begin(step);
  try {
    body();
    return true;
  } catch (...) {
    result_.errors.push_back(CurrentError().At(step));
    return false;
  }
}

// Then the record is kept for another try. What stands in the anchor's place and is not ours is none of it.
bool Detach::KeepsSomething() const {
  const auto is_ours = [](const Error& error) { return error.GetReason() != Reason::kForeign; };
  return std::any_of(result_.errors.begin(), result_.errors.end(), is_ours);
}

const Directory* Detach::Records() {
  if (!records_) records_ = Directory::OpenIfPresent(plan_.record->directory);
  return records_ ? &*records_ : nullptr;
}

bool Detach::IsStale() {
  if (!plan_.record || !plan_.record_version) return false;
  try {
    const Directory* const directory = Records();
    return directory == nullptr || VersionOf(*directory, plan_.record->name) != *plan_.record_version;
  } catch (Error& error) {
    throw error.At("record");
  }
}

// An index is found much faster than a link is described.
std::optional<int> Detach::FindHostLink() {
  if (!plan_.link) return std::nullopt;
  if (!plan_.link->alias) {
    return IsLinkPresent(plan_.link->name) ? host_.Links().IndexOf(plan_.link->name) : std::nullopt;
  }
  const auto link = FindLink(host_.Links(), plan_.link->name);
  if (!link) return std::nullopt;
  // What came out of a pool gets its alias a moment later, and its name belongs to no other.
  return link->alias.empty() || link->alias == *plan_.link->alias ? std::optional(link->index) : std::nullopt;
}

void Detach::Cut() {
  const auto link = FindHostLink();
  if (!link) {
    result_.stale = HasNamespace();
    return;
  }
  try {
    CutLink(host_.Links(), *link, plan_.link->routed);
  } catch (Error& error) {
    // One that is gone is cut off, too.
    if (error.Errnum() != ENODEV) throw error.Path(plan_.link->name);
  }
}

// Where the record's link is gone and the namespace is there, one of the two is another's, or has another
// name. Who has no record to compare with has cut the link already.
bool Detach::HasNamespace() {
  if (!plan_.link || !plan_.anchor || !plan_.record_version) return false;
  const AnchorState state = GetAnchorState(plan_.anchor->directory, plan_.anchor->name, &lock_.Vm());
  return state.kind == AnchorKind::kNamespace && state.claimed;
}

void Detach::RemoveName() {
  if (!plan_.anchor) return;
  // A file may be a live namespace seen from here; without a claim nobody knows whose it is.
  UniqueFd unnamed =
      UnnameNamespace(plan_.anchor->directory, plan_.anchor->name, lock_.Vm(), AnchorOwner::kLock);
  if (plan_.together) host_.Parting().Hold(std::move(unnamed));
  if (plan_.link) host_.Freeing().Add(plan_.link->name);
}

std::optional<Wait> Detach::ReleaseAddresses() {
  if (!plan_.addresses || !store_request_) return std::nullopt;
  std::optional<Wait> wait;
  const auto release = [this, &wait] {
    auto progress = store_request_->Try();
    wait = std::move(progress.wait);
    if (wait) return;
    AddressStore& store = *progress.result;
    if (!plan_.addresses->addresses) {
      static_cast<void>(store.ReleaseAll(plan_.addresses->owner, host_.Addresses()));
      return;
    }
    for (const IpAddress& address : *plan_.addresses->addresses) {
      store.Release(address, plan_.addresses->owner, host_.Addresses());
    }
  };
  Try("address", [&] { UnlessStoreIsMissing(release); });
  return wait;
}

void Detach::Forget() {
  if (plan_.record) {
    const Directory* const directory = Records();
    if (directory != nullptr) RemoveFile(*directory, plan_.record->name);
  }
  // Another attachment of the namespace needs the claim.
  if (plan_.anchor) lock_.Vm().RemoveFile();
}

}  // namespace vulcan

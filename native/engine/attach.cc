#include "engine/attach.h"

#include <cerrno>
#include <utility>

#include "engine/attachment_links.h"
#include "engine/attachment_parts.h"
#include "engine/guard.h"
#include "engine/record_text.h"
#include "engine/reservation.h"
#include "sys/anchor.h"

namespace vulcan {

Attach::Attach(AttachPlan plan, AttachmentHost& host)
    : plan_(std::move(plan)),
      host_(host),
      lock_(plan_.locks, LockFile::kAbsent),
      store_request_(plan_.addresses.directory, plan_.locks.timeout) {
  undo_.Push([this] { lock_.RemoveNew(); });
}

Progress<AttachResult> Attach::Step(const Cancellation& cancellation) {
  try {
    if (!failure_) return Advance(cancellation);
  } catch (...) {
    failure_ = CurrentError();
    if (failure_->Step().empty()) failure_->At(step_);
  }
  if (auto wait = undo_.TryUnwind(*failure_)) return std::move(*wait);
  record_.reset();
  inside_.reset();
  throw Error(*failure_);
}

Progress<AttachResult> Attach::Advance(const Cancellation& cancellation) {
  host_.Namespaces().BeginFirst(TapOf(plan_.interface));
  if (!checked_) clock_.Begin("lock");
  if (auto wait = lock_.Acquire(cancellation)) return std::move(*wait);
  if (!checked_) {
    places_ = RefuseExisting(plan_.record, plan_.anchor, lock_.Vm());
    lock_.NameContainer();
    checked_ = true;
  }
  Begin("address", cancellation);
  auto store = store_request_.Try(cancellation);
  if (store.wait) return std::move(*store.wait);
  return Run(std::move(*store.result), cancellation);
}

void Attach::Begin(const char* step, const Cancellation& cancellation) {
  step_ = step;
  clock_.Begin(step);
  cancellation.ThrowIfCancelled();
}

AttachResult Attach::Run(AddressStore store, const Cancellation& cancellation) {
  ReserveAddresses(std::move(store));
  Begin("bridge", cancellation);
  bridge_ = BridgeFor(host_, plan_.interface);
  Begin("firewall", cancellation);
  RequireFirewall(host_.Nft(), plan_.firewall, plan_.interface);
  Begin("record", cancellation);
  PrepareRecord();
  Begin("guard", cancellation);
  Guard(cancellation);
  Begin("anchor", cancellation);
  NameAnchor(cancellation);
  Begin("tap", cancellation);
  AddTap(*inside_, plan_.interface);
  Begin("link", cancellation);
  AddLinks(host_, plan_.interface, bridge_, inside_->fd.Get());
  Begin("inside", cancellation);
  ConfigureInside(inside_->links, plan_.interface, result_.addresses);
  Begin("up", cancellation);
  SetUp();
  // That of the next: the thread wakes while the record is written.
  host_.Namespaces().Begin(TapOf(plan_.interface));
  Begin("record", cancellation);
  record_->Publish(plan_.record.name);
  result_.steps = clock_.End();
  return std::move(result_);
}

// Others wait for the store: it is let go of at the end.
void Attach::ReserveAddresses(AddressStore store) {
  result_.addresses = ReserveAll(store, plan_.addresses, host_.Addresses());
  undo_.PushWaiting(ReleaseAll(host_, plan_.addresses, result_.addresses));
}

void Attach::PrepareRecord() {
  const RecordText text = WithAddresses(plan_.record_text, result_.addresses);
  record_.emplace(WriteRecord(places_, plan_.record, WithNames(text, plan_.locks)));
  result_.record = record_->Version();
}

void Attach::Guard(const Cancellation& cancellation) {
  if (!plan_.interface.guarded) return;
  const guard::Port port = GuardedPort(plan_.interface, result_.addresses);
  undo_.Push([this, port] { guard::Remove(host_.Nft(), port); });
  guard::Add(host_.Nft(), port, cancellation);
}

void Attach::NameAnchor(const Cancellation& cancellation) {
  inside_ = host_.Namespaces().Take(TapOf(plan_.interface));
  const Directory& anchors = AnchorsOf(places_, plan_.anchor, cancellation);
  result_.netns = NameNamespace(anchors, plan_.anchor.name, lock_.Vm(), inside_->fd.Get());
  undo_.Push([this] { RemoveAnchor(plan_.anchor.directory, plan_.anchor.name, lock_.Vm()); });
}

void Attach::SetUp() {
  if (HasHostRoutes(plan_.interface)) {
    undo_.Push([this] { RemoveRoutes(host_, result_.addresses); });
  }
  // Somebody may hold the namespace, and with it the link, longer than we do.
  undo_.Push([this] { SetHostLinkDown(host_.Links(), plan_.interface.host_link); });
  SetHostLinkUp(host_.Links(), plan_.interface, result_.addresses);
}

}  // namespace vulcan

#include "engine/attach.h"

#include <unistd.h>

#include <cerrno>
#include <functional>
#include <new>
#include <utility>

#include "engine/attachment_links.h"
#include "engine/guard.h"
#include "engine/reservation.h"
#include "netlink/link_change.h"
#include "sys/anchor.h"
#include "sys/anchor_directory.h"
#include "sys/file_store.h"
#include "sys/tap.h"

namespace vulcan {
namespace {

constexpr mode_t kRecordMode = 0600;
constexpr std::chrono::milliseconds kUndoTimeout{2'000};

void RefuseIfThere(const FileName& file) {
  const auto directory = Directory::OpenIfPresent(file.directory);
  if (directory && HasFile(*directory, file.name)) {
    throw Error(EEXIST, "faccessat").Path(directory->PathOf(file.name)).Why(Reason::kAttachmentExists);
  }
}

// Ends work that was begun beside, whatever became of it.
class Beside {
 public:
  Beside(NamespaceWorker& worker, std::function<void()> body) : worker_(worker) {
    worker_.Begin(std::move(body));
  }
  ~Beside() {
    try {
      Finish();
    } catch (...) {  // NOLINT(bugprone-empty-catch): only the first failure counts
    }
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  void Finish() {
    if (!std::exchange(finished_, true)) worker_.Finish();
  }

 private:
  NamespaceWorker& worker_;
  bool finished_ = false;
};

[[nodiscard]] IpPrefix PrefixOf(const ReservedAddress& address) {
  return {address.address, address.prefix_length};
}

}  // namespace

Attach::Attach(AttachPlan plan, AttachmentHost& host)
    : plan_(std::move(plan)),
      host_(host),
      lock_(plan_.locks),
      store_request_(plan_.addresses.directory, plan_.locks.timeout) {}

Progress<AttachResult> Attach::Step(const Cancellation& cancellation) {
  try {
    return Advance(cancellation);
  } catch (Error& error) {
    error.At(step_);
    undo_.Unwind(error);
    throw;
  } catch (const std::bad_alloc&) {
    Error error(ENOMEM, "operator new");
    error.At(step_);
    undo_.Unwind(error);
    throw error;
  }
}

Progress<AttachResult> Attach::Advance(const Cancellation& cancellation) {
  if (auto wait = lock_.Acquire(cancellation)) return std::move(*wait);
  if (!checked_) {
    RefuseExisting();
    // Whoever waits for this lock finds a new one.
    undo_.Push([this] { lock_.Vm().RemoveFile(); });
    checked_ = true;
  }
  Begin("address", cancellation);
  auto store = store_request_.Try(cancellation);
  if (store.wait) return std::move(*store.wait);
  return Run(std::move(*store.result), cancellation);
}

void Attach::Begin(const char* step, const Cancellation& cancellation) {
  step_ = step;
  cancellation.ThrowIfCancelled();
}

void Attach::RefuseExisting() {
  RefuseIfThere(plan_.record);
  RefuseIfThere(plan_.anchor);
}

AttachResult Attach::Run(AddressStore store, const Cancellation& cancellation) {
  const Directory anchors = OpenAnchorDirectory(plan_.anchor.directory, cancellation);
  undo_.Push([this] {
    if (named_) RemoveAnchor(plan_.anchor.directory, plan_.anchor.name, lock_.Vm());
  });
  {
    Beside beside(host_.Worker(), [this, &anchors] { MakeNamespace(anchors); });
    ReserveAddresses(std::move(store));
    Begin("anchor", cancellation);
    beside.Finish();
  }
  Begin("link", cancellation);
  AddLinks();
  Begin("inside", cancellation);
  ConfigureInside(*inside_, plan_.interface, result_.addresses);
  Begin("guard", cancellation);
  Guard(cancellation);
  Begin("up", cancellation);
  SetUp();
  Begin("record", cancellation);
  WriteRecord();
  return std::move(result_);
}

void Attach::MakeNamespace(const Directory& anchors) {
  netns_ = OpenCurrentNamespace();
  result_.netns = NameNamespace(anchors, plan_.anchor.name, lock_.Vm(), netns_.Get());
  named_ = true;
  inside_.emplace();
  CreateTap(plan_.interface.tap, plan_.interface.tap_owner);
}

// Others wait for the store: it is let go of at the end.
void Attach::ReserveAddresses(AddressStore store) {
  result_.addresses = ReserveAll(store, plan_.addresses, host_.Addresses());
  undo_.Push([this] { ReleaseAddresses(); });
}

void Attach::ReleaseAddresses() {
  const Cancellation never;
  AddressStore store = RunToEnd(AddressStoreRequest(plan_.addresses.directory, kUndoTimeout), never);
  for (const ReservedAddress& each : result_.addresses) {
    store.Release(each.address, plan_.addresses.owner, host_.Addresses());
  }
}

// What is made here goes away with the namespace, so there is nothing to undo but its name.
void Attach::AddLinks() {
  const int bridge = host_.BridgeWithRoom(plan_.interface.port.bridge);
  AddHostLink(host_.Links(), plan_.interface, bridge, netns_.Get());
  host_.CountPort(bridge);
  host_.DisableIpv6(plan_.interface.host_link);
}

void Attach::Guard(const Cancellation& cancellation) {
  if (!plan_.interface.guarded) return;
  guard::Port port{plan_.interface.host_link, {}};
  for (const ReservedAddress& each : result_.addresses)
    port.bindings.push_back({plan_.interface.mac, each.address});
  for (const IpAddress& each : plan_.interface.guard_addresses)
    port.bindings.push_back({plan_.interface.mac, each});
  undo_.Push([this, port] { guard::Remove(host_.Nft(), port); });
  guard::Add(host_.Nft(), port, cancellation);
}

void Attach::SetUp() {
  // Somebody may hold the namespace, and with it the link, longer than we do.
  undo_.Push([this] {
    LinkChange down;
    down.up = false;
    host_.Links().Request(SetLink(plan_.interface.host_link, down));
  });
  SetHostLinkUp(host_.Links(), plan_.interface.host_link);
}

void Attach::WriteRecord() {
  std::string text;
  for (const auto& piece : plan_.record_text) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      text += *literal;
    } else {
      text += PrefixOf(result_.addresses.at(std::get<std::size_t>(piece))).ToString();
    }
  }
  const Directory directory = Directory::Open(plan_.record.directory);
  CreateFile(directory, plan_.record.name, text, kRecordMode);
}

}  // namespace vulcan

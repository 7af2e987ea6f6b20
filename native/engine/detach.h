#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/step_clock.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/attachment_lock.h"
#include "engine/attachment_plan.h"
#include "engine/guard.h"

namespace vulcan {

struct HostLink {
  std::string name;
  // A link of that name with another alias is somebody else's.
  std::optional<std::string> alias;
  // Whether it is no bridge's port.
  bool routed = false;
};

struct ReleasePlan {
  std::string directory;
  std::string owner;
  // Absent: all that the owner has.
  std::optional<std::vector<IpAddress>> addresses;
};

struct DetachPlan {
  AttachmentLocks locks;
  std::optional<HostLink> link;
  std::optional<guard::Port> guard;
  // Absent: the namespace has other attachments, or is somebody else's.
  std::optional<FileName> anchor;
  // Whether the namespace waits for others until AttachmentHost::Parting lets them go.
  bool together = false;
  std::optional<ReleasePlan> addresses;
  // The guest's, that the host has routes of its own to.
  std::vector<IpAddress> host_routes;
  std::optional<FileName> record;
  // With it, nothing is done once another file has the record's name, or none.
  std::optional<FileVersion> record_version;
};

struct DetachResult {
  // The record was not of the version that was named, or is not of what is there: nothing was done.
  bool stale = false;
  // Whether the VM is off the network. When not, nothing after the cut was done.
  bool cut = false;
  // The namespace that was made under the lock.
  std::optional<NamespaceId> netns;
  // Each with its step.
  std::vector<Error> errors;
  std::vector<StepTime> steps;
};

// Takes an attachment away: cut off first, then everything that has its name, past failing steps. The kernel
// frees links and namespace afterwards. Absent is fine everywhere. Only the wait for the VM's lock can be
// cancelled.
class Detach {
 public:
  Detach(DetachPlan plan, AttachmentHost& host);

  [[nodiscard]] Progress<DetachResult> Step(const Cancellation& cancellation);

 private:
  // Takes the locks; empty: they are held. Throws at step "lock".
  [[nodiscard]] std::optional<Wait> Acquire(const Cancellation& cancellation);
  // What it throws is gathered; whether it went through.
  bool Try(const char* step, const std::function<void()>& body);
  // Where the record is; null when there is no such directory.
  [[nodiscard]] const Directory* Records();
  [[nodiscard]] bool IsStale();
  void Cut();
  [[nodiscard]] std::optional<int> FindHostLink();
  [[nodiscard]] bool HasNamespace();
  void RemoveName();
  [[nodiscard]] std::optional<Wait> ReleaseAddresses();
  [[nodiscard]] bool KeepsSomething() const;
  void Forget();

  DetachPlan plan_;
  AttachmentHost& host_;
  AttachmentLock lock_;
  std::optional<AddressStoreRequest> store_request_;
  std::optional<Directory> records_;
  bool begun_ = false;
  // What comes before the first step is the wait for its turn.
  StepClock clock_{"queue"};
  DetachResult result_;
};

}  // namespace vulcan

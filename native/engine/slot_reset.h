#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/slot.h"

namespace vulcan {

// What a slot looks like from now on, whenever it is as it was made.
void TakeFingerprints(Slot& slot, RtnlSocket& inside, RtnlSocket& host);

// Makes slots that ProveSlots has found clean what they were when they were made: the TAP, the host's link,
// and what others have learnt of them. Then compares them with that. Lets others go first after each step.
class ResetSlots {
 public:
  ResetSlots(std::vector<std::shared_ptr<Slot>> slots, AttachmentHost& host);

  // For each slot what it could not be cleaned of, or nothing: it is as good as new.
  [[nodiscard]] Progress<std::vector<std::optional<Error>>> Step();

 private:
  enum class Stage { kTap, kInside, kHost };

  void Advance(Slot& slot);
  void ResetHost(Slot& slot);

  std::vector<std::shared_ptr<Slot>> slots_;
  AttachmentHost& host_;
  std::vector<std::optional<Error>> against_;
  std::size_t next_ = 0;
  Stage stage_ = Stage::kTap;
};

}  // namespace vulcan

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/wait.h"
#include "engine/attachment_host.h"
#include "engine/slot.h"
#include "netlink/rtnl_message.h"

namespace vulcan {

// Makes slots that EnterSlots has entered what they were when they were made: the TAP, the host's link,
// and what others have learnt of them. Then compares them with that. Lets others go first after each step.
class ResetSlots {
 public:
  ResetSlots(std::vector<std::shared_ptr<Slot>> slots, AttachmentHost& host);

  // For each slot what it could not be cleaned of, or nothing: it is as good as new.
  [[nodiscard]] Progress<std::vector<std::optional<Error>>> Step();

 private:
  enum class Stage { kTap, kInside, kHost };

  // So many share what is done in the host's namespace; the acknowledgements of their requests fit into a
  // socket.
  static constexpr std::size_t kTogether = 8;

  // What it throws speaks against the slot; nothing is done any more for one that something speaks against.
  void Try(std::size_t index, const std::function<void(Slot&)>& body);
  void ResetGroup();
  void SetRoutedUp(const Slot& slot);
  void GuardGroup();
  void Spoil();
  [[nodiscard]] std::vector<RtnlMessage> LastOf(const Slot& slot, bool has_alias);

  std::vector<std::shared_ptr<Slot>> slots_;
  AttachmentHost& host_;
  std::vector<std::optional<Error>> against_;
  // Of those that are being reset: the first, and the one after the last whose inside has been.
  std::size_t group_ = 0;
  std::size_t next_ = 0;
  Stage stage_ = Stage::kTap;
};

}  // namespace vulcan

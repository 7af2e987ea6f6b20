#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "addon/deliveries.h"
#include "addon/handle_table.h"
#include "addon/lane.h"
#include "engine/attachment_host.h"
#include "engine/slot.h"
#include "engine/slot_host.h"
#include "sys/lock.h"

namespace vulcan::addon {

class Task;

using LockTable = HandleTable<Lock>;
using SlotTable = HandleTable<Slot>;

// All state of one environment (Node's main thread, or one worker): nothing is shared between two.
// Only the environment's own thread calls it.
class Module : public Napi::Addon<Module> {
 public:
  Module(Napi::Env env, Napi::Object exports);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Runs the task on its lane, settles it here, and destroys it. The process stays alive until then.
  void Submit(Napi::Env env, std::unique_ptr<Task> task, LaneName lane, std::optional<std::uint32_t> task_id);
  // Unknown ids are ignored: the task may just have ended.
  void Cancel(std::uint32_t task_id);
  [[nodiscard]] LockTable& Locks() noexcept { return locks_; }
  [[nodiscard]] SlotTable& Slots() noexcept { return slots_; }
  // Of the slot lane's thread.
  [[nodiscard]] SlotHost& SlotChanges() noexcept { return slot_changes_; }
  // Of the control lane's thread.
  [[nodiscard]] AttachmentHost& Attachments() noexcept { return attachments_; }

 private:
  struct Pending {
    std::unique_ptr<Task> task;
    std::optional<std::uint32_t> id;
  };

  void Finish(Napi::Env env, Task* task);
  // Cancels every task and joins the lanes. What they still deliver is not settled: the environment is
  // ending.
  void Shutdown() noexcept;

  Deliveries deliveries_;
  LockTable locks_;
  SlotTable slots_;
  SlotHost slot_changes_;
  AttachmentHost attachments_;
  std::unordered_map<Task*, Pending> pending_;
  std::unordered_map<std::uint32_t, Task*> by_id_;
  // Destroyed first: its threads use all of the above.
  Lanes lanes_;
};

}  // namespace vulcan::addon

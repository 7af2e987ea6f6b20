#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "addon/bind.h"
#include "addon/convert_attachment.h"
#include "addon/convert_network.h"
#include "addon/convert_slot.h"
#include "addon/task.h"
#include "engine/slot_cut.h"
#include "engine/slot_entry.h"
#include "engine/slot_proof.h"
#include "engine/slot_reset.h"
#include "engine/slot_return.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] SlotReturnPlan ParseReturnPlan(const SlotTable& slots, const Fields& fields) {
  SlotReturnPlan plan{SlotOf(slots, fields),
                      std::chrono::milliseconds(fields.Integer<std::uint32_t>("timeoutMs")),
                      fields.Bool("labelled")};
  if (!plan.slot->vm) fields.Fail("slot", "a VM's slot");
  return plan;
}

[[nodiscard]] Napi::Value ProofsToJs(Napi::Env env, const SlotProofs& proofs) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("against", ToJs(env, proofs.against));
  object.Set("readingMs", std::chrono::duration<double, std::milli>(proofs.reading).count());
  return object;
}

}  // namespace

void BindRecycling(Napi::Object exports, Module& module) {
  AttachmentHost& host = module.Attachments();
  SlotHost& changes = module.SlotChanges();
  SlotTable& slots = module.Slots();
  Export(
      exports, module, "slotReturn", LaneName::kSlot,
      [&slots, &changes](const Fields& fields) {
        return std::make_unique<SlotReturn>(ParseReturnPlan(slots, fields), changes);
      },
      [](const std::unique_ptr<SlotReturn>& work, const Cancellation& cancellation) {
        return work->Step(cancellation);
      },
      [](Napi::Env env, const SlotReturned& returned) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("stale", returned.stale);
        object.Set("steps", StepsToJs(env, returned.steps));
        return object;
      });
  Export(
      exports, module, "slotsCut", LaneName::kControl,
      [&slots](const Fields& fields) { return SlotsOf(slots, fields); },
      [&host](const std::vector<std::shared_ptr<Slot>>& returned, const Cancellation&) {
        return CutSlots(returned, host);
      },
      [](Napi::Env env, const std::vector<std::optional<Error>>& against) { return ToJs(env, against); });
  Export(
      exports, module, "slotsProve", LaneName::kScan,
      [&slots](const Fields& fields) { return SlotsOf(slots, fields); }, ProveSlots, ProofsToJs);
  Export(
      exports, module, "slotsEnter", LaneName::kNamespace,
      [&slots](const Fields& fields) { return SlotsOf(slots, fields); }, EnterSlots, ProofsToJs);
  Export(
      exports, module, "slotsReset", LaneName::kControl,
      [&slots, &host](const Fields& fields) {
        return std::make_unique<ResetSlots>(SlotsOf(slots, fields), host);
      },
      [](const std::unique_ptr<ResetSlots>& work, const Cancellation&) { return work->Step(); },
      [](Napi::Env env, const std::vector<std::optional<Error>>& against) { return ToJs(env, against); });
  const auto forget = [&slots](const Napi::CallbackInfo& info) {
    slots.Take(Fields::Of(info[0], "plan").Integer<std::uint32_t>("slot")).reset();
  };
  exports.Set("slotForget", Napi::Function::New(exports.Env(), forget, "slotForget"));
}

}  // namespace vulcan::addon

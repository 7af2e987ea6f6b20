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
#include "engine/link_labels.h"
#include "engine/slot.h"
#include "engine/slot_naming.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] SlotPlan ParseSlotPlan(const Fields& fields) {
  const Fields interface = Nested(fields, "interface");
  AddressPlan addresses = ParseAddressPlan(Nested(interface, "addresses"));
  InterfacePlan link = ParseInterface(interface, addresses);
  const Fields record = Nested(fields, "record");
  RecordText text = ParseRecordText(record, addresses);
  return {ParseLocks(Nested(fields, "locks")),
          ParseFirewallNeed(fields),
          std::move(addresses),
          std::move(link),
          fields.String("anchors"),
          record.String("directory"),
          std::move(text),
          fields.Bool("recycled")};
}

[[nodiscard]] SlotNamingPlan ParseNamingPlan(const SlotTable& slots, const Fields& fields) {
  SlotNamingPlan plan;
  plan.slot = SlotOf(slots, fields);
  const SlotPlaces& places = plan.slot->places;
  plan.locks = {places.locks, fields.String("vm"), fields.OptionalString("container").value_or(""),
                places.network_lock, std::chrono::milliseconds(fields.Integer<std::uint32_t>("timeoutMs"))};
  if (plan.slot->firewalled) {
    plan.firewall = {fields.Integer<std::uint64_t>("table"), *plan.slot->firewalled};
  }
  plan.anchor = {places.anchors, fields.String("anchor")};
  plan.record = {places.records, fields.String("record")};
  plan.owner = fields.String("owner");
  return plan;
}

[[nodiscard]] std::vector<LinkLabel> ParseLabels(const Fields& fields) {
  std::vector<LinkLabel> labels;
  for (const Fields& each : fields.Objects("links")) {
    LinkLabel label{each.String("name"), each.String("alias"), std::nullopt};
    if (const auto vm = each.OptionalObject("vm")) {
      const Fields record = Nested(*vm, "record");
      label.vm = {ParseLocks(Nested(*vm, "locks")), ParseFileName(record),
                  ParseVersion(Nested(record, "version"))};
    }
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace

void BindSlots(Napi::Object exports, Module& module) {
  AttachmentHost& host = module.Attachments();
  SlotHost& changes = module.SlotChanges();
  SlotTable& slots = module.Slots();
  Export(
      exports, module, "slotFill", LaneName::kControl,
      [&host](const Fields& fields) { return std::make_unique<FillSlot>(ParseSlotPlan(fields), host); },
      [](const std::unique_ptr<FillSlot>& fill, const Cancellation& cancellation) {
        return fill->Step(cancellation);
      },
      [&slots](Napi::Env env, Slot slot) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("addresses", ReservedToJs(env, slot.addresses));
        object.Set("slot", slots.Add(std::move(slot)));
        return object;
      });
  Export(
      exports, module, "slotName", LaneName::kSlot,
      [&slots, &changes](const Fields& fields) {
        return std::make_unique<SlotNaming>(ParseNamingPlan(slots, fields), changes);
      },
      [](const std::unique_ptr<SlotNaming>& naming, const Cancellation& cancellation) {
        return naming->Step(cancellation);
      },
      [](Napi::Env env, const SlotNamed& named) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("record", VersionToJs(env, named.record));
        object.Set("steps", StepsToJs(env, named.steps));
        return object;
      });
  Export(
      exports, module, "linkLabel", LaneName::kControl,
      [&host](const Fields& fields) { return std::make_unique<LabelLinks>(ParseLabels(fields), host); },
      [](const std::unique_ptr<LabelLinks>& labels, const Cancellation& cancellation) {
        return labels->Step(cancellation);
      },
      [](Napi::Env env, int gone) { return Napi::Number::New(env, gone); });
  Export(
      exports, module, "slotDestroy", LaneName::kControl,
      [&slots, &host](const Fields& fields) {
        return std::make_unique<DestroySlots>(TakeSlots(slots, fields), host);
      },
      [](const std::unique_ptr<DestroySlots>& destruction, const Cancellation&) {
        return destruction->Step();
      },
      [](Napi::Env env, const std::vector<Error>& errors) { return ToJs(env, errors); });
}

}  // namespace vulcan::addon

#include "addon/convert_slot.h"

#include <cstdint>

namespace vulcan::addon {
namespace {

[[nodiscard]] std::vector<std::uint32_t> HandlesOf(const Fields& fields) {
  const Napi::Value value = fields.Get("slots");
  if (!value.IsArray()) fields.Fail("slots", "an array");
  const auto array = value.As<Napi::Array>();
  std::vector<std::uint32_t> handles;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value handle = array.Get(i);
    if (!handle.IsNumber()) fields.Fail("slots", "an array of slots");
    handles.push_back(handle.As<Napi::Number>().Uint32Value());
  }
  return handles;
}

}  // namespace

std::shared_ptr<Slot> SlotOf(const HandleTable<Slot>& slots, const Fields& fields) {
  auto slot = slots.Get(fields.Integer<std::uint32_t>("slot"));
  if (!slot) fields.Fail("slot", "a slot");
  return slot;
}

std::vector<std::shared_ptr<Slot>> SlotsOf(const HandleTable<Slot>& slots, const Fields& fields) {
  std::vector<std::shared_ptr<Slot>> found;
  for (const std::uint32_t handle : HandlesOf(fields)) {
    found.push_back(slots.Get(handle));
    if (!found.back()) fields.Fail("slots", "an array of slots");
  }
  return found;
}

std::vector<std::shared_ptr<Slot>> TakeSlots(HandleTable<Slot>& slots, const Fields& fields) {
  auto found = SlotsOf(slots, fields);
  for (const std::uint32_t handle : HandlesOf(fields)) slots.Take(handle).reset();
  return found;
}

}  // namespace vulcan::addon

#include "engine/slot_cut.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "false_kernel.h"
#include "namespace_test.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

// More than the kernel takes in one send.
constexpr std::size_t kMany = 1'000;
// Links that have gone.
constexpr int kNobody = 1 << 20;

[[nodiscard]] std::vector<std::shared_ptr<Slot>> Ports(std::size_t count) {
  std::vector<std::shared_ptr<Slot>> slots;
  for (std::size_t i = 0; i < count; ++i) {
    auto slot = std::make_shared<Slot>();
    slot->host_index = kNobody;
    slot->interface.bridge = "br0";
    slots.push_back(std::move(slot));
  }
  return slots;
}

// How many could not be cut, of so many, once as many answers are lost.
[[nodiscard]] std::size_t CountUncut(std::size_t slots, int losses) {
  return InNewNamespace([&] {
    AttachmentHost host;
    static_cast<void>(host.Links());
    TheFalseKernel().losses = losses;
    std::size_t uncut = 0;
    for (const auto& each : CutLeftSlots(Ports(slots), host)) uncut += each ? 1 : 0;
    TheFalseKernel() = {};
    return uncut;
  });
}

using SlotCut = NamespaceTest;

TEST_F(SlotCut, HowManyThereAre) { EXPECT_EQ(CountUncut(kMany, 0), 0U); }

TEST_F(SlotCut, AnswersThatAreLostAreThoseOfAFew) {
  const std::size_t uncut = CountUncut(kMany, 1);
  EXPECT_GT(uncut, 0U);
  EXPECT_LT(uncut, kMany / 2);
}

}  // namespace
}  // namespace vulcan

#include "engine/slot_proof.h"

#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <string>

#include "false_kernel.h"
#include "namespace_test.h"
#include "sys/netns.h"
#include "tracker.h"

namespace vulcan {
namespace {

constexpr std::uint16_t kDeletion = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

[[nodiscard]] std::shared_ptr<Slot> SlotWith(const std::string& address) {
  auto slot = std::make_shared<Slot>();
  slot->ns = InNewNamespace([] { return OpenCurrentNamespace(); });
  slot->addresses.push_back({IpAddress::Parse(address).value(), 64, std::nullopt});
  return slot;
}

using SlotProof = NamespaceTest;

// As of a guest whose peer goes on sending: what is deleted is there again.
TEST_F(SlotProof, SpeaksAgainstTheOneThatAlwaysHasNewConnections) {
  const auto against = InNewNamespace([] {
    Tracker tracker;
    tracker.Track("fd00::2", "2001:db8::1", "fd00::2");
    TheFalseKernel() = {kDeletion, ENOENT, std::numeric_limits<int>::max()};
    auto proofs = ProveSlots({SlotWith("fd00::2"), SlotWith("fd00::3")}, {});
    TheFalseKernel() = {};
    return proofs.against;
  });
  ASSERT_TRUE(against[0]);
  EXPECT_EQ(against[0]->Errnum(), EBUSY);
  EXPECT_EQ(against[0]->GetReason(), Reason::kSlotSpoilt);
  EXPECT_FALSE(against[1]) << against[1]->what();
}

}  // namespace
}  // namespace vulcan

#include "engine/link_plan.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <functional>

#include "false_kernel.h"
#include "netlink/bridge_link.h"
#include "netlink/link.h"
#include "netlink/mac_address.h"
#include "netlink/rtnl_socket.h"
#include "sys/netns.h"
#include "throws.h"

namespace vulcan {
namespace {

// What a request is refused as often as before it is given up.
constexpr int kOnce = 6;

class LinkPlanTest : public testing::Test {
 protected:
  void TearDown() override { TheFalseKernel() = {}; }

  // In a namespace where a link `one` is up, and `taken` is another.
  static void WithLinks(const std::function<void(RtnlSocket&)>& work) {
    try {
      RunInNewNamespace([&work] {
        RtnlSocket socket;
        for (const char* name : {"one", "taken"})
          socket.Request(NewBridge(name, *ParseMac("02:00:00:00:00:01")));
        LinkPlan up;
        up.name = "one";
        up.change.up = true;
        EXPECT_TRUE(ChangeLink(up));
        work(socket);
      });
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }

  static LinkPlan Rename(const std::string& name) {
    LinkPlan plan;
    plan.name = "one";
    plan.new_name = name;
    return plan;
  }

  // As kernels before Linux 6.2 do with a link that is up.
  static void RefuseOnce() { TheFalseKernel() = {RTM_SETLINK, EBUSY, kOnce, 0, 0}; }

  static void ExpectUp(RtnlSocket& socket, const std::string& name) {
    const auto link = FindLink(socket, name);
    ASSERT_TRUE(link);
    EXPECT_TRUE(link->up);
  }
};

TEST_F(LinkPlanTest, RenamesALinkThatIsUp) {
  WithLinks([](RtnlSocket& socket) {
    EXPECT_TRUE(ChangeLink(Rename("two")));
    EXPECT_FALSE(FindLink(socket, "one"));
    ExpectUp(socket, "two");
  });
}

TEST_F(LinkPlanTest, RenamesByTakingItDownWhereTheKernelWantsThat) {
  WithLinks([](RtnlSocket& socket) {
    RefuseOnce();
    EXPECT_TRUE(ChangeLink(Rename("two")));
    EXPECT_EQ(TheFalseKernel().refusals, 0);
    EXPECT_FALSE(FindLink(socket, "one"));
    ExpectUp(socket, "two");
  });
}

TEST_F(LinkPlanTest, LeavesItUpWhereTheNameIsTaken) {
  WithLinks([](RtnlSocket& socket) {
    RefuseOnce();
    EXPECT_TRUE(Throws(EEXIST, [] { static_cast<void>(ChangeLink(Rename("taken"))); }));
    EXPECT_EQ(TheFalseKernel().refusals, 0);
    ExpectUp(socket, "one");
  });
}

}  // namespace
}  // namespace vulcan

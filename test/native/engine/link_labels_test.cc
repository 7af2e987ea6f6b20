#include "engine/link_labels.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <utility>

#include "false_kernel.h"
#include "namespace_test.h"
#include "netlink/link.h"
#include "throws.h"

namespace vulcan {
namespace {

using LinkLabels = NamespaceTest;

TEST_F(LinkLabels, AreWrittenPastOneThatFails) {
  RunInNewNamespace([] {
    AttachmentHost host;
    LabelLinks labels({{"lo", "refused", {}}, {"vn-gone", "", {}}, {"lo", "written", {}}}, host);
    TheFalseKernel() = {RTM_SETLINK, EPERM, 1};
    EXPECT_TRUE(Throws(EPERM, Reason::kNone, [&] { static_cast<void>(labels.Step({})); }));
    TheFalseKernel() = {};
    EXPECT_EQ(FindLink(host.Links(), "lo").value().alias, "written");
  });
}

}  // namespace
}  // namespace vulcan

#include "engine/record_text.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace vulcan {
namespace {

[[nodiscard]] AttachmentLocks LocksOf(const std::string& vm, const std::string& container) {
  AttachmentLocks locks;
  locks.vm = vm;
  locks.container = container;
  return locks;
}

[[nodiscard]] RecordText Text() {
  return {"{\"ip\":\"", AddressOf{0},   "\",\"by\":\"",     GatewayOf{0}, "\",\"vm\":\"",
          VmName::kVm,  "\",\"id\":\"", VmName::kContainer, "\"}"};
}

[[nodiscard]] std::vector<ReservedAddress> Reserved() {
  ReservedAddress address;
  address.address = *IpAddress::Parse("10.0.0.2");
  address.prefix_length = 24;
  address.gateway = IpAddress::Parse("10.0.0.1");
  return {address};
}

TEST(RecordTextTest, KeepsWhatStandsForNames) {
  const RecordText text = WithAddresses(Text(), Reserved());
  const RecordText expected{"{\"ip\":\"10.0.0.2/24\",\"by\":\"10.0.0.1\",\"vm\":\"", VmName::kVm,
                            "\",\"id\":\"", VmName::kContainer, "\"}"};
  ASSERT_EQ(text.size(), expected.size());
  EXPECT_EQ(WithNames(text, LocksOf("a", "b")), WithNames(expected, LocksOf("a", "b")));
}

TEST(RecordTextTest, HasTheNamesOfTheVmAndOfItsAttachment) {
  const RecordText text = WithAddresses(Text(), Reserved());
  EXPECT_EQ(WithNames(text, LocksOf("vm-1", "other")),
            R"({"ip":"10.0.0.2/24","by":"10.0.0.1","vm":"vm-1","id":"other"})");
}

TEST(RecordTextTest, OfAnAttachmentOfTheVmsOwnIdHasThatTwice) {
  const RecordText text = WithAddresses(Text(), Reserved());
  EXPECT_EQ(WithNames(text, LocksOf("vm-1", "")),
            R"({"ip":"10.0.0.2/24","by":"10.0.0.1","vm":"vm-1","id":"vm-1"})");
}

TEST(RecordTextTest, RefusesAnAddressThatNobodyHas) {
  EXPECT_THROW(static_cast<void>(WithAddresses(Text(), {})), std::out_of_range);
}

}  // namespace
}  // namespace vulcan

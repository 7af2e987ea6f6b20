#include "netlink/mac_address.h"

#include <gtest/gtest.h>

namespace vulcan {
namespace {

TEST(MacAddressTest, ReadsWhatItWrites) {
  const auto mac = ParseMac("02:fc:00:A0:0b:ff");
  ASSERT_TRUE(mac);
  EXPECT_EQ(FormatMac(*mac), "02:fc:00:a0:0b:ff");
}

TEST(MacAddressTest, ReadsNothingElse) {
  for (const char* text : {"", "02", "02:fc:00:a0:0b", "02:fc:00:a0:0b:ff:00", "02-fc-00-a0-0b-ff",
                           "2:fc:0:a0:b:ff:", "0g:fc:00:a0:0b:ff", "-2:fc:00:a0:0b:ff", " 2:fc:00:a0:0b:ff",
                           "02:fc:00:a0:0b:f "}) {
    EXPECT_FALSE(ParseMac(text)) << text;
  }
}

TEST(MacAddressTest, WritesAnyLength) {
  EXPECT_EQ(FormatMac({}), "");
  const std::array<std::byte, 2> two = {std::byte{1}, std::byte{0xab}};
  EXPECT_EQ(FormatMac(two), "01:ab");
}

}  // namespace
}  // namespace vulcan

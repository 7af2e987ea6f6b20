#include "nft/range.h"

#include <gtest/gtest.h>

#include <string_view>

namespace vulcan::nft {
namespace {

Range Of(std::string_view prefix) { return ToRange(IpPrefix::Parse(prefix).value()); }

TEST(RangeTest, HasTheFirstAndTheLastAddressOfAPrefix) {
  EXPECT_EQ(Of("10.168.0.5/24").first, ToKey(*IpAddress::Parse("10.168.0.0")));
  EXPECT_EQ(Of("10.168.0.5/24").last, ToKey(*IpAddress::Parse("10.168.0.255")));
  EXPECT_EQ(Of("10.0.0.1/32").first, Of("10.0.0.1/32").last);
  EXPECT_EQ(Of("0.0.0.0/0").last, ToKey(*IpAddress::Parse("255.255.255.255")));
  EXPECT_EQ(Of("fd00::5/63").last, ToKey(*IpAddress::Parse("fd00::1:ffff:ffff:ffff:ffff")));
}

TEST(RangeTest, OverlapsWhatItSharesAnAddressWith) {
  EXPECT_TRUE(Overlap(Of("10.0.0.0/8"), Of("10.168.0.0/24")));
  EXPECT_TRUE(Overlap(Of("10.168.0.0/24"), Of("10.0.0.0/8")));
  EXPECT_TRUE(Overlap(Of("10.0.0.0/24"), Of("10.0.0.0/24")));
  EXPECT_FALSE(Overlap(Of("10.0.0.0/24"), Of("10.0.1.0/24")));
  EXPECT_FALSE(Overlap(Of("0.0.0.0/0"), Of("::/0")));
}

TEST(RangeTest, IsWrittenAsAPrefixWhereItIsOne) {
  EXPECT_EQ(ToString(Of("10.168.0.5/24")), "10.168.0.0/24");
  EXPECT_EQ(ToString(Of("fd00::/64")), "fd00::/64");
  EXPECT_EQ(ToString(Of("10.0.0.1/32")), "10.0.0.1/32");
  const Range odd{ToKey(*IpAddress::Parse("10.0.0.1")), ToKey(*IpAddress::Parse("10.0.0.2"))};
  EXPECT_EQ(ToString(odd), "10.0.0.1-10.0.0.2");
}

}  // namespace
}  // namespace vulcan::nft

#include "base/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace vulcan {
namespace {

using namespace std::string_view_literals;

TEST(IpAddressTest, WritesTheCanonicalForm) {
  EXPECT_EQ(IpAddress::Parse("10.168.0.1")->ToString(), "10.168.0.1");
  EXPECT_EQ(IpAddress::Parse("FD00:0::0001")->ToString(), "fd00::1");
}

TEST(IpAddressTest, ReadsNothingElse) {
  for (const auto text : {""sv, "10.0.0"sv, "10.0.0.256"sv, "010.0.0.1"sv, " 10.0.0.1"sv, "10.0.0.1/8"sv,
                          "g::"sv, "::1%lo"sv, "10.0.0.1\0x"sv}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
}

TEST(IpAddressTest, ReadsBytesOfEitherFamily) {
  const auto address = IpAddress::Parse("fd00::1").value();
  EXPECT_EQ(IpAddress::FromBytes(address.Bytes()), address);
  EXPECT_FALSE(IpAddress::FromBytes(address.Bytes().first(5)));
}

TEST(IpAddressTest, KnowsLinkLocal) {
  EXPECT_TRUE(IpAddress::Parse("169.254.1.2")->IsLinkLocal());
  EXPECT_TRUE(IpAddress::Parse("fe80::1")->IsLinkLocal());
  EXPECT_TRUE(IpAddress::Parse("febf::1")->IsLinkLocal());
  EXPECT_FALSE(IpAddress::Parse("fec0::1")->IsLinkLocal());
  EXPECT_FALSE(IpAddress::Parse("169.253.1.2")->IsLinkLocal());
}

TEST(IpPrefixTest, KeepsHostBits) {
  EXPECT_EQ(IpPrefix::Parse("10.168.0.1/24")->ToString(), "10.168.0.1/24");
  EXPECT_EQ(IpPrefix::Parse("::/0")->ToString(), "::/0");
  EXPECT_NE(IpPrefix::Parse("10.168.0.1/24"), IpPrefix::Parse("10.168.0.1/25"));
}

TEST(IpPrefixTest, ReadsNothingElse) {
  for (const char* text : {"10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+1",
                           "10.0.0.1/1x", "fd00::/129", "/8"}) {
    EXPECT_FALSE(IpPrefix::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace vulcan

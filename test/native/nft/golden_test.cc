// What nft(8) 1.0.6 sends for the command above each case, as `nft --debug=mnl` shows it: without the
// message's header, on a little-endian machine.
#include <gtest/gtest.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "nft/batch.h"
#include "nft/chain.h"
#include "nft/element.h"
#include "nft/range.h"
#include "nft/rule.h"
#include "nft/set.h"
#include "nft/table.h"

namespace vulcan::nft {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Golden {
  const char* name;
  const char* command;
  std::function<void(Batch&)> build;
  std::string_view payload;
};

// For gtest's messages.
void PrintTo(const Golden& golden, std::ostream* stream) { *stream << golden.command; }

const Table& OurTable() {
  static const Table table{NFPROTO_INET, "t"};
  return table;
}

const Set& Ranges() {
  static const Set ranges{"s4", {DataType::kIpv4}, true, {}};
  return ranges;
}

IpPrefix Prefix(std::string_view text) { return IpPrefix::Parse(text).value(); }

Element RedRange(std::string_view prefix) {
  const auto [first, last] = ToRange(Prefix(prefix));
  return {first, last, "red"};
}

std::string Hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] / kDigits.size()];
    text += kDigits[bytes[i] % kDigits.size()];
  }
  return text;
}

// The payload of the batch's second message: the first one opens the transaction.
std::string SecondPayload(const Batch& batch) {
  const std::vector<iovec> parts = batch.Parts();
  const auto* first = static_cast<const nlmsghdr*>(parts.at(0).iov_base);
  const auto* bytes = static_cast<const unsigned char*>(parts.at(0).iov_base) + NLMSG_ALIGN(first->nlmsg_len);
  return Hex(bytes + NLMSG_HDRLEN, reinterpret_cast<const nlmsghdr*>(bytes)->nlmsg_len - NLMSG_HDRLEN);
}

// The family's header and the attributes, which may come in any order.
std::multiset<std::string> Parts(std::string_view payload) {
  constexpr std::size_t kHeaderDigits = 8;
  std::multiset<std::string> parts = {std::string(payload.substr(0, kHeaderDigits))};
  for (std::size_t at = kHeaderDigits; at < payload.size();) {
    const auto byte = [&](std::size_t i) {
      return std::stoul(std::string(payload.substr(at + 2 * i, 2)), nullptr, 16);
    };
    const std::size_t digits = 2 * NLMSG_ALIGN(byte(0) + 256 * byte(1));
    parts.emplace(payload.substr(at, digits));
    at += std::max<std::size_t>(digits, kHeaderDigits);
  }
  return parts;
}

class GoldenTest : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, IsWhatNftSends) {
  Batch batch(1);
  GetParam().build(batch);
  EXPECT_EQ(Parts(SecondPayload(batch)), Parts(GetParam().payload));
}

TEST(BatchTest, SmallMessagesRunOnIntoNewPages) {
  const auto bytes = [](Batch::Messages messages) {
    Batch batch(messages);
    for (int i = 0; i < 100; ++i) AddElements(batch, OurTable(), Ranges(), {RedRange("10.0.0.0/8")});
    std::string all;
    for (const iovec& part : batch.Parts())
      all += Hex(static_cast<const unsigned char*>(part.iov_base), part.iov_len);
    return all;
  };
  EXPECT_EQ(bytes(Batch::Messages::kSmall), bytes(Batch::Messages::kAny));
}

INSTANTIATE_TEST_SUITE_P(
    Nft, GoldenTest,
    testing::Values(
        Golden{"Table", R"(add table inet u { comment "layout"; })",
               [](Batch& batch) {
                 AddTable(batch, {NFPROTO_INET, "u"}, "layout");
               },
               "01000000060001007500000008000200000000000d00060000076c61796f757400000000"},
        Golden{"DeletedTable", R"(delete table inet t)", [](Batch& batch) { DeleteTable(batch, OurTable()); },
               "010000000600010074000000"},
        Golden{"BaseChain",
               R"(add chain inet t forward { type filter hook forward priority 0; policy accept; })",
               [](Batch& batch) {
                 AddChain(batch, OurTable(), {"forward", Hook{"filter", NF_INET_FORWARD, 0}});
               },
               "0100000006000100740000000c000300666f7277617264000b00070066696c746572000008000500"
               "000000011400048008000100000000020800020000000000"},
        Golden{"FlushedChain", R"(flush chain inet t c)",
               [](Batch& batch) { FlushChain(batch, OurTable(), "c"); },
               "0100000006000100740000000600020063000000"},
        Golden{"SetOfLinks", R"(add set inet t links { type ifname; comment "links"; })",
               [](Batch& batch) {
                 AddSet(batch, OurTable(), {"links", {DataType::kLinkName}, false, "links"});
               },
               "0100000006000100740000000a0002006c696e6b7300000008000300000000000800040000000029"
               "080005000000001008000a000000000112000d0000040100000007066c696e6b73000000"},
        Golden{"SetOfRanges", R"(add set inet t nets { type ipv4_addr; flags interval; comment "nets"; })",
               [](Batch& batch) {
                 AddSet(batch, OurTable(), {"nets", {DataType::kIpv4}, true, "nets"});
               },
               "010000000600010074000000090002006e6574730000000008000300000000040800040000000007"
               "080005000000000408000a000000000111000d0000040200000007056e65747300000000"},
        Golden{"Concatenation", R"(delete element inet t ports { "fcbr0" . tcp . 80 comment "red" })",
               [](Batch& batch) {
                 const Set ports{
                     "ports", {DataType::kLinkName, DataType::kProtocol, DataType::kPort}, false, {}};
                 const Key key = Concatenate(LinkNameKey("fcbr0"), ServiceKey(6, 80));
                 DeleteElements(batch, OurTable(), ports, {{key, {}, "red"}});
               },
               "0100000006000100740000000a000200706f7274730000003400038030000180200001801c000100"
               "6663627230000000000000000000000006000000005000000a0006000004726564000000"},
        Golden{"Range", R"(delete element inet t s4 { 10.168.0.0/24 comment "red" })",
               [](Batch& batch) { DeleteElements(batch, OurTable(), Ranges(), {RedRange("10.168.0.0/24")}); },
               "0100000006000100740000000700020073340000380003801c0001800c000180080001000aa80000"
               "0a00060000047265640000001800028008000300000000010c000180080001000aa80100"},
        Golden{
            "RangeToTheLastAddress", R"(delete element inet t s4 { 255.255.255.0/24 comment "red" })",
            [](Batch& batch) { DeleteElements(batch, OurTable(), Ranges(), {RedRange("255.255.255.0/24")}); },
            "010000000600010074000000070002007334000024000380200001800c00018008000100ffffff00"
            "10000600000472656400010401000000"},
        Golden{"State", R"(add rule inet t c ct state established,related accept)",
               [](Batch& batch) {
                 Rule("c").StateIn(kEstablished | kRelated).Accept().Append(batch, OurTable());
               },
               "0100000006000100740000000600020063000000c400048020000180070001006374000014000280"
               "08000200000000000800010000000001440001800c00010062697477697365003400028008000100"
               "00000001080002000000000108000300000000040c00048008000100060000000c00058008000100"
               "000000002c00018008000100636d700020000280080001000000000108000200000000010c000380"
               "0800010000000000300001800e000100696d6d6564696174650000001c0002800800010000000000"
               "100002800c0002800800010000000001"},
        Golden{"DestinationPrefix", R"(add rule inet t c ip daddr != 224.0.0.0/4 drop)",
               [](Batch& batch) {
                 Rule("c")
                     .Ipv4()
                     .Destination(Comparison::kNotEqual, Prefix("224.0.0.0/4"))
                     .Drop()
                     .Append(batch, OurTable());
               },
               "01000000060001007400000006000200630000002801048024000180090001006d65746100000000"
               "14000280080002000000000f08000100000000012c00018008000100636d70002000028008000100"
               "0000000108000200000000000c0003800500010002000000340001800c0001007061796c6f616400"
               "24000280080001000000000108000200000000010800030000000010080004000000000444000180"
               "0c000100626974776973650034000280080001000000000108000200000000010800030000000004"
               "0c00048008000100f00000000c00058008000100000000002c00018008000100636d700020000280"
               "080001000000000108000200000000010c00038008000100e0000000300001800e000100696d6d65"
               "64696174650000001c0002800800010000000000100002800c0002800800010000000000"},
        Golden{"Masquerade", R"(add rule inet t c ip daddr != 255.255.255.255 masquerade)",
               [](Batch& batch) {
                 Rule("c")
                     .Ipv4()
                     .Destination(Comparison::kNotEqual, Prefix("255.255.255.255/32"))
                     .Masquerade()
                     .Append(batch, OurTable());
               },
               "0100000006000100740000000600020063000000c800048024000180090001006d65746100000000"
               "14000280080002000000000f08000100000000012c00018008000100636d70002000028008000100"
               "0000000108000200000000000c0003800500010002000000340001800c0001007061796c6f616400"
               "2400028008000100000000010800020000000001080003000000001008000400000000042c000180"
               "08000100636d700020000280080001000000000108000200000000010c00038008000100ffffffff"
               "14000180090001006d6173710000000004000280"},
        Golden{"Icmp", R"(add rule inet t c meta nfproto ipv6 icmpv6 type nd-neighbor-solicit accept)",
               [](Batch& batch) { Rule("c").Ipv6().IcmpType(135).Accept().Append(batch, OurTable()); },
               "01000000060001007400000006000200630000003401048024000180090001006d65746100000000"
               "14000280080002000000000f08000100000000012c00018008000100636d70002000028008000100"
               "0000000108000200000000000c000380050001000a00000024000180090001006d65746100000000"
               "14000280080002000000001008000100000000012c00018008000100636d70002000028008000100"
               "0000000108000200000000000c000380050001003a000000340001800c0001007061796c6f616400"
               "2400028008000100000000010800020000000002080003000000000008000400000000012c000180"
               "08000100636d700020000280080001000000000108000200000000000c0003800500010087000000"
               "300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c000280"
               "0800010000000001"},
        Golden{"Fragment", R"(add rule inet t c exthdr frag exists drop)",
               [](Batch& batch) { Rule("c").Ipv6().Fragment().Drop().Append(batch, OurTable()); },
               "0100000006000100740000000600020063000000f400048024000180090001006d65746100000000"
               "14000280080002000000000f08000100000000012c00018008000100636d70002000028008000100"
               "0000000108000200000000000c000380050001000a000000440001800b0001006578746864720000"
               "340002800800010000000001050002002c0000000800030000000000080004000000000108000600"
               "0000000008000500000000012c00018008000100636d700020000280080001000000000108000200"
               "000000000c0003800500010001000000300001800e000100696d6d6564696174650000001c000280"
               "0800010000000000100002800c0002800800010000000000"},
        Golden{"OutNotLoopback", R"(add rule inet t c oif != "lo" drop)",
               [](Batch& batch) { Rule("c").OutNotLoopback().Drop().Append(batch, OurTable()); },
               "01000000060001007400000006000200630000008400048024000180090001006d65746100000000"
               "14000280080002000000000508000100000000012c00018008000100636d70002000028008000100"
               "0000000108000200000000010c0003800800010001000000300001800e000100696d6d6564696174"
               "650000001c0002800800010000000000100002800c0002800800010000000000"}),
    [](const auto& golden) { return std::string(golden.param.name); });

}  // namespace
}  // namespace vulcan::nft

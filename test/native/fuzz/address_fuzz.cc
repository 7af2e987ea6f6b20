// Addresses as text, against inet_pton; and the free ones of a range, against a plain set of the taken ones.
#include <arpa/inet.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <string>

#include "base/ip_address.h"
#include "base/ip_number.h"
#include "nft/range.h"
#include "sys/address_runs.h"

namespace vulcan {
namespace {

void Expect(bool holds) {
  if (!holds) std::abort();
}

void ReadText(const std::string& text) {
  const auto address = IpAddress::Parse(text);
  std::array<std::byte, sizeof(in6_addr)> bytes{};
  const bool is_plain = text.find('\0') == std::string::npos;
  const bool known = is_plain && (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
                                  ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1);
  Expect(address.has_value() == known);
  if (address) Expect(IpAddress::Parse(address->ToString()) == address);

  const auto prefix = IpPrefix::Parse(text);
  if (!prefix) return;
  Expect(prefix->length >= 0 && prefix->length <= prefix->address.Bits());
  Expect(IpPrefix::Parse(prefix->ToString()) == prefix);
  const nft::Range range = nft::ToRange(*prefix);
  const auto again = IpPrefix::Parse(nft::ToString(range));
  Expect(again && again->length == prefix->length && nft::ToRange(*again).first == range.first);
}

// Two bytes each: what to do, and with which of 64 addresses.
void Take(std::span<const std::uint8_t> steps) {
  constexpr IpNumber kFirst = 1000;
  constexpr unsigned kCount = 64;
  AddressRuns runs;
  std::set<IpNumber> taken;
  for (; steps.size() >= 2; steps = steps.subspan(2)) {
    const IpNumber number = kFirst + steps[1] % kCount;
    if (steps[0] % 2 == 0) {
      runs.Add(number);
      taken.insert(number);
    } else {
      runs.Remove(number);
      taken.erase(number);
    }
    IpNumber free = number;
    while (taken.contains(free)) ++free;
    const auto found = runs.FirstFree(number, kFirst + kCount - 1);
    Expect(found.has_value() ? *found == free : free >= kFirst + kCount);
  }
}

}  // namespace
}  // namespace vulcan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] == 0) {
    vulcan::Take({data + 1, size - 1});
  } else {
    vulcan::ReadText({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}

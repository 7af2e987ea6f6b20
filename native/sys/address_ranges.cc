#include "sys/address_ranges.h"

#include <algorithm>

namespace vulcan {

bool AddressRange::Contains(const IpAddress& address) const {
  const IpNumber number = ToNumber(address);
  return address.Family() == first.Family() && ToNumber(first) <= number && number <= ToNumber(last);
}

const AddressRange* RangeSet::Find(const IpAddress& address) const {
  const auto range = std::find_if(ranges.begin(), ranges.end(),
                                  [&](const AddressRange& each) { return each.Contains(address); });
  return range == ranges.end() ? nullptr : &*range;
}

bool RangeSet::IsExcluded(const IpAddress& address) const {
  const AddressRange* const range = Find(address);
  return (range != nullptr && range->gateway == address) ||
         std::find(excluded.begin(), excluded.end(), address) != excluded.end();
}

IpNumber RangeSet::Size() const {
  IpNumber size = 0;
  for (const AddressRange& range : ranges) {
    size += ToNumber(range.last) - ToNumber(range.first) + 1;
    if (range.gateway && range.Contains(*range.gateway)) --size;
  }
  for (const IpAddress& address : excluded) {
    const AddressRange* const range = Find(address);
    if (range != nullptr && range->gateway != address) --size;
  }
  return size;
}

std::string RangeSet::ToString() const {
  std::string text;
  for (const AddressRange& range : ranges) {
    text += (text.empty() ? "" : ",") + range.first.ToString() + "-" + range.last.ToString();
  }
  return text;
}

std::optional<IpAddress> RangeSet::NextFree(const AddressRuns& taken,
                                            const std::optional<IpAddress>& last) const {
  const AddressRange* const current = last ? Find(*last) : nullptr;
  const std::size_t begin = current == nullptr ? 0 : static_cast<std::size_t>(current - ranges.data());
  const auto search = [&](const AddressRange& range, IpNumber from, IpNumber to) -> std::optional<IpAddress> {
    const auto number = taken.FirstFree(from, to);
    if (!number) return std::nullopt;
    return FromNumber(range.first.Family(), *number);
  };
  if (current != nullptr) {
    if (auto found = search(*current, ToNumber(*last) + 1, ToNumber(current->last))) return found;
  }
  for (std::size_t i = current == nullptr ? 0 : 1; i < ranges.size(); ++i) {
    const AddressRange& range = ranges[(begin + i) % ranges.size()];
    if (auto found = search(range, ToNumber(range.first), ToNumber(range.last))) return found;
  }
  if (current == nullptr) return std::nullopt;
  return search(*current, ToNumber(current->first), ToNumber(*last));
}

}  // namespace vulcan

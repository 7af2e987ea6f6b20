#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "sys/address_runs.h"

namespace vulcan {

// host-local's words: a range is a part of a subnet, a range set is what one address is taken from.
struct AddressRange {
  IpAddress first;
  IpAddress last;
  std::optional<IpAddress> gateway;
  int prefix_length = 0;

  [[nodiscard]] bool Contains(const IpAddress& address) const;
};

struct RangeSet {
  // Its place in the configuration: what its last_reserved_ip file is named by.
  unsigned index = 0;
  // Of one family, disjoint.
  std::vector<AddressRange> ranges;
  // Besides the gateways.
  std::vector<IpAddress> excluded;

  [[nodiscard]] const AddressRange* Find(const IpAddress& address) const;
  [[nodiscard]] bool IsExcluded(const IpAddress& address) const;
  // How many addresses there are to be had.
  [[nodiscard]] IpNumber Size() const;
  // "10.0.0.2-10.0.0.254,10.0.1.2-10.0.1.9"
  [[nodiscard]] std::string ToString() const;

  // Round robin, as host-local goes: what follows `last`, from range to range, and `last` itself at the very
  // end. So what was freed rests as long as it can.
  [[nodiscard]] std::optional<IpAddress> NextFree(const AddressRuns& taken,
                                                  const std::optional<IpAddress>& last) const;
};

}  // namespace vulcan

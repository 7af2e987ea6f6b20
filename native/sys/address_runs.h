#pragma once

#include <map>
#include <optional>

#include "base/ip_number.h"

namespace vulcan {

// Taken addresses, as runs of neighbours: the next free one is found without a walk, however full a range is,
// and a range of IPv6 is no larger than what is taken of it.
class AddressRuns {
 public:
  void Add(IpNumber number);
  void Remove(IpNumber number);
  void Clear() noexcept { runs_.clear(); }

  // The lowest free one from `first` to `last`, both included.
  [[nodiscard]] std::optional<IpNumber> FirstFree(IpNumber first, IpNumber last) const;

 private:
  using Runs = std::map<IpNumber, IpNumber>;
  // The run that `number` is in.
  [[nodiscard]] Runs::const_iterator Find(IpNumber number) const;

  // First to last, both included; no two touch.
  Runs runs_;
};

}  // namespace vulcan

#include "sys/address_runs.h"

#include <iterator>

namespace vulcan {

AddressRuns::Runs::const_iterator AddressRuns::Find(IpNumber number) const {
  const auto after = runs_.upper_bound(number);
  if (after == runs_.begin()) return runs_.end();
  const auto run = std::prev(after);
  return number <= run->second ? run : runs_.end();
}

void AddressRuns::Add(IpNumber number) {
  if (Find(number) != runs_.end()) return;
  const auto after = runs_.upper_bound(number);
  const bool joins_after = after != runs_.end() && after->first == number + 1;
  const auto before = after == runs_.begin() ? runs_.end() : std::prev(after);
  const bool joins_before = before != runs_.end() && before->second + 1 == number;
  const IpNumber last = joins_after ? after->second : number;
  if (joins_after) runs_.erase(after);
  if (joins_before) {
    before->second = last;
  } else {
    runs_.emplace(number, last);
  }
}

void AddressRuns::Remove(IpNumber number) {
  const auto run = Find(number);
  if (run == runs_.end()) return;
  const auto [first, last] = *run;
  runs_.erase(run);
  if (first < number) runs_.emplace(first, number - 1);
  if (number < last) runs_.emplace(number + 1, last);
}

std::optional<IpNumber> AddressRuns::FirstFree(IpNumber first, IpNumber last) const {
  if (first > last) return std::nullopt;
  const auto run = Find(first);
  if (run == runs_.end()) return first;
  if (run->second >= last) return std::nullopt;
  return run->second + 1;
}

}  // namespace vulcan

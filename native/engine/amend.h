#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/ip_address.h"
#include "netlink/link_change.h"
#include "sys/tap.h"

namespace vulcan {

// What is put back inside a namespace, one thing each. They mirror Amendment in lib/native/survey.ts.

// Made when it is missing, else given to its owner.
struct TapAmendment {
  std::string name;
  TapOwner owner;
};
struct LinkAmendment {
  std::string name;
  LinkChange change;
};
struct AddressAmendment {
  std::string link;
  IpPrefix prefix;
};
struct RouteAmendment {
  std::string link;
  IpPrefix destination;
  std::optional<IpAddress> gateway;
};
// All that comes in on `from` goes out on `to`; filters of `from` that lead elsewhere go.
struct RedirectAmendment {
  std::string from;
  std::string to;
};
using Amendment =
    std::variant<TapAmendment, LinkAmendment, AddressAmendment, RouteAmendment, RedirectAmendment>;

struct AmendPlan {
  std::string netns;
  std::vector<Amendment> amendments;
};

// In order, past those that fail: what came of each. What is there already is fine.
[[nodiscard]] std::vector<std::optional<Error>> Amend(const AmendPlan& plan,
                                                      const Cancellation& cancellation);

}  // namespace vulcan

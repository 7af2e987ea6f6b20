#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/tap.h"

namespace vulcan {

// A redirect ties a TAP to a link: whatever comes in on one goes out on the other, so that a VM on the TAP
// has the link's place in the network. All of this works in the calling thread's network namespace.

struct RedirectPlan {
  std::string link;
  // Empty: the kernel chooses.
  std::string tap;
  TapOwner owner;
};

struct RedirectState {
  std::string tap;
  // The link's: the guest must use it, too.
  std::string mac;
};

// All or nothing. ENODEV when there is no such link, EEXIST when the TAP's name is taken or the link is tied
// already. The TAP persists as the last step: of a process that is killed before, only the link's ingress
// qdisc stays.
[[nodiscard]] RedirectState AddRedirect(const RedirectPlan& plan);

// Removes the link's ingress qdisc, the TAPs that are tied to it, and those of `taps`; what is not there is
// fine. Goes on past a failing step and returns every failure.
[[nodiscard]] std::vector<Error> RemoveRedirect(const std::string& link,
                                                const std::vector<std::string>& taps);

// What a redirect lacks.
struct RedirectFault {
  enum class Kind { kNoLink, kNoQdisc, kNoFilter };
  Kind kind;
  // Of the link or of the TAP.
  std::string device;
};

// Empty when nothing is missing.
[[nodiscard]] std::optional<RedirectFault> CheckRedirect(const std::string& link, const std::string& tap);

}  // namespace vulcan

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "engine/guard.h"
#include "netlink/link.h"
#include "sys/address_store.h"
#include "sys/anchor.h"
#include "sys/lock.h"

namespace vulcan {

// Mirrors SurveyPlan in lib/native/survey.ts.
struct SurveyPlan {
  // Where anchors are, and how their names begin; what follows is the name of the VM's lock.
  std::string anchors;
  std::string prefix;
  std::string locks;
  // host-local's directory of a network.
  std::optional<std::string> addresses;
};

// All that the host says about attachments without a look into a namespace: one dump or one reading of a
// directory for each kind. No lock is held, so each part is of its own moment: claims before anchors, so that
// an anchor that is being made is never taken for somebody else's without its claim.
struct Survey {
  Claims claims;
  std::map<std::string, AnchorState> anchors;
  std::vector<Link> links;
  std::vector<guard::Port> guarded;
  std::vector<Reservation> addresses;
};

[[nodiscard]] Survey TakeSurvey(const SurveyPlan& plan, const Cancellation& cancellation);

}  // namespace vulcan

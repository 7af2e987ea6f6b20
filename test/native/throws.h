#pragma once

#include <gtest/gtest.h>

#include "base/error.h"

namespace vulcan {

// Whether a call throws an Error of this errno, and for this reason.
template <typename Call>
[[nodiscard]] testing::AssertionResult Throws(int errnum, Reason reason, Call call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.Errnum() == errnum && error.GetReason() == reason) return testing::AssertionSuccess();
    return testing::AssertionFailure() << error.what() << " " << ReasonName(error.GetReason());
  }
  return testing::AssertionFailure() << "nothing was thrown";
}

template <typename Call>
[[nodiscard]] testing::AssertionResult Throws(int errnum, Call call) {
  return Throws(errnum, Reason::kNone, call);
}

}  // namespace vulcan

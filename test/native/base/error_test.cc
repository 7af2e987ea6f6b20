#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <type_traits>

namespace vulcan {
namespace {

// Errors are stored and rethrown around C callbacks.
static_assert(std::is_nothrow_copy_constructible_v<Error>);

TEST(Error, ReadsLikeNodesSystemErrors) {
  const Error error = Error(EEXIST, "mount").Path("/run/netns/x");
  EXPECT_STREQ(error.what(), "EEXIST: File exists, mount '/run/netns/x'");
}

TEST(Error, SaysWhatTheKernelSaid) {
  const Error error = Error(EINVAL, "RTM_NEWLINK").Kernel("unknown device type");
  EXPECT_STREQ(error.what(), "EINVAL: Invalid argument, RTM_NEWLINK (unknown device type)");
}

TEST(Error, TakesAMessageInPlaceOfTheErrnosOwn) {
  EXPECT_STREQ(Error(EPERM, "fstat", "belongs to someone else").what(),
               "EPERM: belongs to someone else, fstat");
}

TEST(Error, HasATextForErrnosThatHaveNone) {
  constexpr int kNotSupported = 524;  // ENOTSUPP, which only the kernel knows
  EXPECT_STREQ(Error(kNotSupported, "RTM_NEWLINK").what(), "E524: Unknown error 524, RTM_NEWLINK");
}

TEST(Error, NamesErrnosThatHaveNoName) {
  EXPECT_EQ(ErrnoName(ENOBUFS), "ENOBUFS");
  EXPECT_EQ(ErrnoName(4095), "E4095");
}

TEST(Error, IsMadeOfTheCurrentErrno) {
  errno = ENOSPC;
  const Error error = SystemError("write", "/x");
  EXPECT_EQ(error.Errnum(), ENOSPC);
  EXPECT_EQ(error.Syscall(), "write");
  EXPECT_EQ(error.GetPath(), "/x");
}

TEST(Error, CarriesReasonAndUndoErrors) {
  Error error(EEXIST, "open");
  error.Why(Reason::kForeign).UndoFailed(Error(EBUSY, "umount"));
  const Error copy = error;
  EXPECT_EQ(ReasonName(copy.GetReason()), "foreign");
  ASSERT_EQ(copy.UndoErrors().size(), 1U);
  EXPECT_EQ(copy.UndoErrors()[0].Errnum(), EBUSY);
}

TEST(Error, HasANameForEveryReasonButNone) {
  EXPECT_EQ(ReasonName(Reason::kNone), "");
  EXPECT_EQ(ReasonName(Reason::kDirectoryUnsafe), "directory-unsafe");
  EXPECT_EQ(ReasonName(Reason::kNotANamespace), "not-a-namespace");
  EXPECT_EQ(ReasonName(Reason::kLockHeld), "lock-held");
  EXPECT_EQ(ReasonName(Reason::kRetriesExhausted), "retries-exhausted");
  EXPECT_EQ(ReasonName(Reason::kWrongKind), "wrong-kind");
  EXPECT_EQ(ReasonName(Reason::kAddressConflict), "address-conflict");
  EXPECT_EQ(ReasonName(Reason::kNetworkConflict), "network-conflict");
}

}  // namespace
}  // namespace vulcan

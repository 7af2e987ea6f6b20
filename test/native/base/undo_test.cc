#include "base/undo.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <optional>
#include <string>

namespace vulcan {
namespace {

TEST(UndoStack, RunsNewestFirst) {
  std::string order;
  UndoStack undo;
  undo.Push([&order] { order += 'a'; });
  undo.Push([&order] { order += 'b'; });
  Error error(EIO, "test");
  undo.Unwind(error);
  EXPECT_EQ(order, "ba");
  EXPECT_TRUE(error.UndoErrors().empty());
}

TEST(UndoStack, GoesOnPastAFailingStepAndReportsIt) {
  bool ran = false;
  UndoStack undo;
  undo.Push([&ran] { ran = true; });
  undo.Push([] { throw Error(EBUSY, "umount"); });
  Error error(EIO, "test");
  undo.Unwind(error);
  EXPECT_TRUE(ran);
  ASSERT_EQ(error.UndoErrors().size(), 1U);
  EXPECT_EQ(error.UndoErrors()[0].Syscall(), "umount");
}

TEST(UndoStack, GoesOnPastWhateverIsThrown) {
  bool ran = false;
  UndoStack undo;
  undo.Push([&ran] { ran = true; });
  undo.Push([] { throw std::bad_alloc(); });
  Error error(EIO, "test");
  undo.Unwind(error);
  EXPECT_TRUE(ran);
  ASSERT_EQ(error.UndoErrors().size(), 1U);
  EXPECT_EQ(error.UndoErrors()[0].Errnum(), ENOMEM);
}

TEST(UndoStack, DoesNothingUnlessUnwound) {
  bool ran = false;
  {
    UndoStack undo;
    undo.Push([&ran] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

TEST(UndoStack, GoesOnOnceAStepHasWaited) {
  std::string order;
  int waits = 2;
  UndoStack undo;
  undo.Push([&order] { order += "1"; });
  undo.PushWaiting([&]() -> std::optional<Wait> {
    if (waits-- > 0) return Wait{};
    order += "2";
    return std::nullopt;
  });
  undo.Push([&order] { order += "3"; });
  Error error(EIO, "test");
  EXPECT_TRUE(undo.TryUnwind(error));
  EXPECT_TRUE(undo.TryUnwind(error));
  EXPECT_EQ(order, "3");
  EXPECT_FALSE(undo.TryUnwind(error));
  EXPECT_EQ(order, "321");
  EXPECT_TRUE(error.UndoErrors().empty());
}

TEST(UndoStack, RunsEachStepOnce) {
  int count = 0;
  UndoStack undo;
  undo.Push([&count] { ++count; });
  Error error(EIO, "test");
  undo.Unwind(error);
  undo.Unwind(error);
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace vulcan

#include "nft/userdata.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/error.h"

namespace vulcan::nft {
namespace {

TEST(UserDataTest, ReadsWhatItWrote) {
  UserData data;
  data.Number(NFTNL_UDATA_SET_ELEM_FLAGS, 1).Text(NFTNL_UDATA_SET_ELEM_COMMENT, "red");
  EXPECT_EQ(ReadText(data.Data(), data.Size(), NFTNL_UDATA_SET_ELEM_COMMENT), "red");
}

TEST(UserDataTest, HasNoTextOfATypeThatIsNotThere) {
  UserData data;
  data.Number(NFTNL_UDATA_SET_ELEM_FLAGS, 1);
  EXPECT_EQ(ReadText(data.Data(), data.Size(), NFTNL_UDATA_SET_ELEM_COMMENT), "");
  EXPECT_EQ(ReadText(nullptr, 0, NFTNL_UDATA_SET_ELEM_COMMENT), "");
}

TEST(UserDataTest, TakesAsMuchTextAsNftReads) {
  UserData data;
  const std::string longest(NFTNL_UDATA_COMMENT_MAXLEN - 1, 'n');
  data.Text(0, longest);
  EXPECT_EQ(ReadText(data.Data(), data.Size(), 0), longest);
  try {
    UserData().Text(0, longest + "n");
    FAIL() << "a text too long was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.Errnum(), ENAMETOOLONG);
  }
}

TEST(UserDataTest, ReadsNothingBeyondItsEnd) {
  // Type 0, eight bytes long, of which four are there.
  const std::array<char, 6> cut = {0, 8, 'r', 'e', 'd', 's'};
  EXPECT_EQ(ReadText(cut.data(), cut.size(), 0), "");
  const std::array<char, 5> unterminated = {0, 3, 'r', 'e', 'd'};
  EXPECT_EQ(ReadText(unterminated.data(), unterminated.size(), 0), "red");
  EXPECT_EQ(ReadText(unterminated.data(), 1, 0), "");
}

}  // namespace
}  // namespace vulcan::nft

#include "sys/address_store.h"

#include <gtest/gtest.h>

#include "sys/file_store.h"
#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

constexpr std::size_t kLimit = 4096;
constexpr const char* kAddress = "10.168.0.2";

class AddressStoreTest : public testing::Test {
 protected:
  void SetUp() override { MakeAddressStore(directory_.Path()); }
  void Own(const std::string& owner) const {
    WriteFile(Directory::Open(directory_.Path()), kAddress, owner, 0600);
  }
  [[nodiscard]] bool Give(const std::string& from, const std::string& to) const {
    return AddressStore::TryOpen(directory_.Path())->Give(*IpAddress::Parse(kAddress), from, to);
  }
  [[nodiscard]] std::optional<std::string> Owner() const {
    return ReadFile(Directory::Open(directory_.Path()), kAddress, kLimit);
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(AddressStoreTest, GivesWhatIsSomebodys) {
  Own(".pool-0123456789abcdef");
  EXPECT_TRUE(Give(".pool-0123456789abcdef", "vm\r\neth0"));
  EXPECT_EQ(Owner(), "vm\r\neth0");
  EXPECT_TRUE(Give("vm\r\neth0", ".pool-0123456789abcdef"));
  EXPECT_EQ(Owner(), ".pool-0123456789abcdef");
}

TEST_F(AddressStoreTest, IsNotMadeByWhoOpensIt) {
  const TemporaryDirectory temporary;
  const std::string path = temporary / "networks/fcnet";
  EXPECT_TRUE(Throws(ENOENT, Reason::kStoreMissing, [&] { static_cast<void>(AddressStore::TryOpen(path)); }));
  UnlessStoreIsMissing([&] { static_cast<void>(AddressStore::TryOpen(path)); });
  EXPECT_FALSE(Directory::OpenIfPresent(temporary / "networks"));
  MakeAddressStore(path);
  EXPECT_TRUE(AddressStore::TryOpen(path));
}

TEST_F(AddressStoreTest, GivesNobodyAnAddressBeforeItIsReady) {
  const TemporaryDirectory temporary;
  const std::string path = temporary / "fcnet";
  BeginAddressStore(path);
  EXPECT_TRUE(Throws(ENOENT, Reason::kStoreMissing, [&] { static_cast<void>(AddressStore::TryOpen(path)); }));
  EXPECT_FALSE(HasFile(Directory::Open(path), "lock"));
  AddressHints hints;
  const IpAddress address = *IpAddress::Parse(kAddress);
  WriteFile(Directory::Open(path), kAddress, "vm\r\neth0", 0600);
  EXPECT_TRUE(AddressStore::TryOpen(path, UnreadyStore::kChange)->Release(address, "vm\r\neth0", hints));
  EXPECT_FALSE(HasFile(Directory::Open(path), "lock"));
  MakeAddressStore(path);
  EXPECT_TRUE(AddressStore::TryOpen(path));
}

TEST_F(AddressStoreTest, GivesNothingOfAnothers) {
  EXPECT_FALSE(Give("vm\r\neth0", "other"));
  EXPECT_EQ(Owner(), std::nullopt);
  Own("another\r\neth0");
  EXPECT_FALSE(Give("vm\r\neth0", "other"));
  EXPECT_EQ(Owner(), "another\r\neth0");
}

}  // namespace
}  // namespace vulcan

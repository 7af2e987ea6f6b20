#include "engine/attachment_parts.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "sys/file_store.h"
#include "temporary_directory.h"

namespace vulcan {
namespace {

TEST(AddressRelease, WaitsForTheStoreWithoutKeepingTheThread) {
  const TemporaryDirectory temporary;
  MakeAddressStore(temporary.Path());
  WriteFile(Directory::Open(temporary.Path()), "10.168.0.2", "vm", 0600);
  AttachmentHost host;
  AddressPlan plan;
  plan.directory = temporary.Path();
  plan.owner = "vm";
  const std::vector<ReservedAddress> addresses{{IpAddress::Parse("10.168.0.2").value(), 24, std::nullopt}};
  ReleaseAll release(host, plan, addresses);
  std::optional<AddressStore> held = AddressStore::TryOpen(temporary.Path());
  EXPECT_TRUE(release());
  EXPECT_TRUE(release());
  held.reset();
  EXPECT_FALSE(release());
  EXPECT_FALSE(HasFile(Directory::Open(temporary.Path()), "10.168.0.2"));
}

}  // namespace
}  // namespace vulcan

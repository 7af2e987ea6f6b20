// What files say that anybody may have written, or half of which a crash has left. The input's first byte
// chooses which.
#include <stdlib.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/foreign_chains_legacy.h"
#include "sys/address_store.h"
#include "sys/lock.h"
#include "sys/mount_info.h"

namespace vulcan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOwner = "vm\r\neth0";

void Expect(bool holds) {
  if (!holds) std::abort();
}

// On a file system in memory where there is one.
class Workplace {
 public:
  Workplace() : path_((fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/vulcan-fuzz-XXXXXX")) {
    Expect(::mkdtemp(path_.data()) != nullptr);
  }
  ~Workplace() { fs::remove_all(path_); }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  [[nodiscard]] std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name, std::ios::trunc | std::ios::binary) << text;
    return path_ + "/" + name;
  }
  [[nodiscard]] const std::string& Path() const { return path_; }

 private:
  std::string path_;
};

const Workplace& Here() {
  static const Workplace workplace;
  return workplace;
}

void ReadClaim(const std::string& text) {
  static_cast<void>(Here().Write("lock-of-vm", text));
  auto lock = Lock::TryAcquire(Directory::Open(Here().Path()), "lock-of-vm", LockMode::kExclusive);
  Expect(lock.has_value());
  try {
    const auto claim = lock->ReadClaim();
    lock->WriteClaim(claim);
    Expect(lock->ReadClaim() == claim);
  } catch (const Error& error) {
    Expect(error.Errnum() == EFBIG);
  }
}

void ReadMounts(const std::string& text) {
  static_cast<void>(ReadMountInfo(Here().Write("mountinfo", text)));
}

RangeSet SomeAddresses() {
  const auto parse = [](std::string_view text) { return IpAddress::Parse(text).value(); };
  constexpr int kPrefixLength = 29;
  return {0, {{parse("10.0.0.1"), parse("10.0.0.6"), parse("10.0.0.1"), kPrefixLength}}, {}};
}

// The store's lines: who has 10.0.0.2, what the last reserved address was, and the name of another file.
void UseStore(const std::string& text) {
  const std::string path = Here().Path() + "/store";
  fs::remove_all(path);
  fs::create_directory(path);
  const auto first = text.find('|');
  const auto second = text.find('|', first == std::string::npos ? first : first + 1);
  static_cast<void>(Here().Write("store/10.0.0.2", text.substr(0, first)));
  if (first != std::string::npos) {
    static_cast<void>(Here().Write("store/last_reserved_ip.0", text.substr(first + 1, second - first - 1)));
  }
  if (second != std::string::npos) {
    const std::string name = text.substr(second + 1);
    constexpr std::size_t kLongestName = 255;
    if (name.find_first_of(std::string_view("/\0", 2)) == std::string::npos && name.size() <= kLongestName) {
      static_cast<void>(Here().Write("store/" + name, ""));
    }
  }
  AddressHints hints;
  MakeAddressStore(path);
  auto store = AddressStore::TryOpen(path);
  Expect(store.has_value());
  const RangeSet set = SomeAddresses();
  const ReservedAddress reserved = store->Reserve(set, std::string(kOwner), hints);
  Expect(set.Find(reserved.address) != nullptr && reserved.address != *reserved.gateway);
  Expect(fs::exists(path + "/" + reserved.address.ToString()));
  const auto released = store->ReleaseAll(std::string(kOwner), hints);
  Expect(std::find(released.begin(), released.end(), reserved.address) != released.end());
}

void FollowLegacyRules(const std::string& text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  static_cast<void>(LegacyRulesDrop({bytes, bytes + text.size()}, 0, 0));
  static_cast<void>(LegacyRulesHave({bytes, bytes + text.size()}, kDockerUserChain));
}

using Read = void (*)(const std::string&);
constexpr std::array<Read, 4> kReads = {ReadClaim, ReadMounts, UseStore, FollowLegacyRules};

}  // namespace
}  // namespace vulcan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  vulcan::kReads.at(data[0] % vulcan::kReads.size())(text);
  return 0;
}

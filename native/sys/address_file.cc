#include "sys/address_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/error.h"
#include "sys/io.h"

namespace vulcan {
namespace {

constexpr mode_t kMode = 0600;

[[nodiscard]] std::string UniqueName() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) throw SystemError("getrandom");
  return ".vulcan-net-" + std::to_string(random);
}

}  // namespace

AddressFile::AddressFile(const Directory& store, const std::string& owner)
    : store_(store),
      beside_(::openat(store.Fd(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      name_(UniqueName()) {
  if (!beside_) throw SystemError("openat", store.Path());
  const UniqueFd file(
      ::openat(beside_.Get(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (!file) throw SystemError("openat", store.Path() + "/../" + name_);
  try {
    WriteAll(file.Get(), owner, store.Path());
  } catch (const Error&) {
    ::unlinkat(beside_.Get(), name_.c_str(), 0);
    throw;
  }
}

AddressFile::~AddressFile() { ::unlinkat(beside_.Get(), name_.c_str(), 0); }

bool AddressFile::TryLink(const std::string& address) const {
  if (::linkat(beside_.Get(), name_.c_str(), store_.Fd(), address.c_str(), 0) == 0) return true;
  if (errno == EEXIST) return false;
  throw SystemError("linkat", store_.PathOf(address));
}

}  // namespace vulcan

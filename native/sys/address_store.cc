#include "sys/address_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "sys/age.h"
#include "sys/file_store.h"
#include "sys/io.h"
#include "sys/unnamed_file.h"

namespace vulcan {
namespace {

constexpr const char* kLock = "lock";
constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kLockMode = 0750;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kFileLimit = 4096;
// So many addresses in a row that turn out to be taken mean that others fill the store: it is read whole.
constexpr int kCollisionsBeforeReading = 32;

[[nodiscard]] Directory OpenStore(const std::string& path) {
  try {
    return Directory::Open(path);
  } catch (Error& error) {
    if (error.Errnum() == ENOENT) error.Why(Reason::kStoreMissing);
    throw;
  }
}

// Empty where there is none. The file is never removed: whoever waits for it would wait for another.
[[nodiscard]] UniqueFd OpenLock(const Directory& directory, int creation) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  UniqueFd lock(::openat(directory.Fd(), kLock, kFlags | creation, kLockMode));
  if (!lock && errno != ENOENT) throw SystemError("openat", directory.PathOf(kLock));
  return lock;
}

[[nodiscard]] std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Before host-local 0.9 a file held the container's id alone.
[[nodiscard]] std::string_view IdOf(std::string_view owner) { return owner.substr(0, owner.find('\r')); }

[[nodiscard]] std::string LastReservedName(unsigned set) { return "last_reserved_ip." + std::to_string(set); }

}  // namespace

AddressRuns& AddressHints::Of(const std::string& directory, int family) {
  return runs_[directory][family == AF_INET ? 0 : 1];
}

std::optional<AddressStore> AddressStore::TryOpen(const std::string& path, UnreadyStore unready) {
  Directory directory = OpenStore(path);
  UniqueFd lock = OpenLock(directory, 0);
  if (!lock) {
    if (unready == UnreadyStore::kChange) return AddressStore(std::move(directory), {});
    throw Error(ENOENT, "openat").Path(directory.PathOf(kLock)).Why(Reason::kStoreMissing);
  }
  while (::flock(lock.Get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) throw SystemError("flock", directory.PathOf(kLock));
  }
  return AddressStore(std::move(directory), std::move(lock));
}

ReservedAddress AddressStore::Reserve(const RangeSet& set, const std::string& owner, AddressHints& hints) {
  const int family = set.ranges.front().first.Family();
  AddressRuns& taken = hints.Of(directory_.Path(), family);
  const auto avoid = [&] {
    for (const AddressRange& range : set.ranges) {
      if (range.gateway && range.Contains(*range.gateway)) taken.Add(ToNumber(*range.gateway));
    }
    for (const IpAddress& address : set.excluded) taken.Add(ToNumber(address));
  };
  const UnnamedFile file(directory_, owner, kFileMode);
  const auto last = LastReserved(set.index);
  avoid();
  bool read = false;
  for (int collisions = 0;; ++collisions) {
    auto address = set.NextFree(taken, last);
    if (!read && (!address || collisions == kCollisionsBeforeReading)) {
      ReadTaken(family, taken);
      avoid();
      read = true;
      address = set.NextFree(taken, last);
    }
    if (!address) {
      const auto size = static_cast<std::uint64_t>(set.Size());
      throw Error(ENOSPC, "linkat",
                  "all " + std::to_string(size) + " addresses of " + set.ToString() + " are taken")
          .Path(directory_.Path())
          .Why(Reason::kAddressesExhausted);
    }
    taken.Add(ToNumber(*address));
    if (!file.TryName(directory_, address->ToString())) continue;
    Remember(set.index, *address, owner, hints);
    const AddressRange& range = *set.Find(*address);
    return {*address, range.prefix_length, range.gateway};
  }
}

ReservedAddress AddressStore::ReserveThis(const IpAddress& address, const RangeSet& set,
                                          const std::string& owner, AddressHints& hints) {
  const AddressRange* const range = set.Find(address);
  const std::string name = address.ToString();
  if (range == nullptr || set.IsExcluded(address)) {
    throw Error(EINVAL, "linkat", "not an address that guests may have").Path(directory_.PathOf(name));
  }
  const UnnamedFile file(directory_, owner, kFileMode);
  if (!file.TryName(directory_, name)) {
    throw Error(EEXIST, "linkat", "the address is taken")
        .Path(directory_.PathOf(name))
        .Why(Reason::kAddressTaken);
  }
  hints.Of(directory_.Path(), address.Family()).Add(ToNumber(address));
  Remember(set.index, address, owner, hints);
  return {address, range->prefix_length, range->gateway};
}

bool AddressStore::Give(const IpAddress& address, const std::string& from, const std::string& to) const {
  const std::string name = address.ToString();
  const std::string path = directory_.PathOf(name);
  const UniqueFd file(::openat(directory_.Fd(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return false;
  if (!file) throw SystemError("openat", path);
  const std::string old = ReadRegularFile(file.Get(), kFileLimit, path);
  if (Trim(old) != Trim(from)) return false;
  // All of it at once, so that even who dies here, or reads without the lock, leaves and finds one or the
  // other.
  std::string text = to;
  text.resize(std::max(old.size(), to.size()), ' ');
  Overwrite(file.Get(), text, path);
  const bool is_longer = text.size() > to.size();
  if (is_longer && ::ftruncate(file.Get(), static_cast<off_t>(to.size())) != 0) {
    throw SystemError("ftruncate", path);
  }
  return true;
}

bool AddressStore::Release(const IpAddress& address, const std::string& owner, AddressHints& hints) {
  const std::string name = address.ToString();
  const auto found = OwnerOf(name);
  if (!found || (*found != Trim(owner) && *found != IdOf(owner))) return false;
  if (!RemoveFile(directory_, name)) return false;
  hints.Of(directory_.Path(), address.Family()).Remove(ToNumber(address));
  return true;
}

std::vector<IpAddress> AddressStore::ReleaseAll(const std::string& owner, AddressHints& hints) {
  std::vector<IpAddress> released;
  for (const std::string& name : directory_.Names()) {
    const auto address = IpAddress::Parse(name);
    if (address && Release(*address, owner, hints)) released.push_back(*address);
  }
  return released;
}

std::optional<IpAddress> AddressStore::LastReserved(unsigned set) const {
  const auto text = ReadFile(directory_, LastReservedName(set), kFileLimit);
  return text ? IpAddress::Parse(*text) : std::nullopt;
}

// In place, as host-local does it: a reader that finds half of it begins at the first address.
void AddressStore::WriteLastReserved(unsigned set, const IpAddress& address) const {
  const std::string name = LastReservedName(set);
  const UniqueFd file(::openat(directory_.Fd(), name.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                               kFileMode));
  if (!file) throw SystemError("openat", directory_.PathOf(name));
  WriteAll(file.Get(), address.ToString(), directory_.PathOf(name));
}

// Whoever can't tell others where to go on has no address.
void AddressStore::Remember(unsigned set, const IpAddress& address, const std::string& owner,
                            AddressHints& hints) {
  try {
    WriteLastReserved(set, address);
  } catch (const Error&) {
    Release(address, owner, hints);
    throw;
  }
}

void AddressStore::ReadTaken(int family, AddressRuns& taken) const {
  taken.Clear();
  for (const std::string& name : directory_.Names()) {
    const auto address = IpAddress::Parse(name);
    if (address && address->Family() == family) taken.Add(ToNumber(*address));
  }
}

std::optional<std::string> AddressStore::OwnerOf(const std::string& name) const {
  const auto text = ReadFile(directory_, name, kFileLimit);
  if (!text) return std::nullopt;
  return std::string(Trim(*text));
}

void MakeAddressStore(const std::string& directory) {
  BeginAddressStore(directory);
  if (!OpenLock(OpenStore(directory), O_CREAT)) throw SystemError("openat", directory + "/" + kLock);
}

void BeginAddressStore(const std::string& directory) {
  if (!Directory::OpenIfPresent(directory)) EnsureDirectory(directory, kDirectoryMode);
}

std::vector<Reservation> ListReservations(const std::string& path) {
  std::vector<Reservation> reservations;
  const auto directory = Directory::OpenIfPresent(path);
  if (!directory) return reservations;
  for (const std::string& name : directory->Names()) {
    const auto address = IpAddress::Parse(name);
    if (!address) continue;
    struct stat status {};
    if (::fstatat(directory->Fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      throw SystemError("fstatat", directory->PathOf(name));
    }
    const auto text = ReadFile(*directory, name, kFileLimit);
    if (text) reservations.push_back({*address, std::string(Trim(*text)), AgeMs(status.st_mtim)});
  }
  return reservations;
}

Holder HolderOf(const std::string& path, const IpAddress& address, const std::string& owner) {
  const auto directory = Directory::OpenIfPresent(path);
  const auto text = directory ? ReadFile(*directory, address.ToString(), kFileLimit) : std::nullopt;
  if (!text) return Holder::kNobody;
  return Trim(*text) == Trim(owner) ? Holder::kOwner : Holder::kAnother;
}

Progress<AddressStore> AddressStoreRequest::Try(const Cancellation& cancellation) {
  cancellation.ThrowIfCancelled();
  auto progress = Try();
  if (progress.wait) progress.wait->fds.push_back({cancellation.Fd(), POLLIN, 0});
  return progress;
}

Progress<AddressStore> AddressStoreRequest::Try() {
  if (auto store = AddressStore::TryOpen(directory_, unready_)) return std::move(*store);
  const auto now = Clock::now();
  if (now >= deadline_) {
    throw Error(ETIMEDOUT, "flock", "another process holds the lock of the address store")
        .Path(directory_ + "/lock")
        .Why(Reason::kLockHeld);
  }
  // host-local holds it for less than a millisecond.
  constexpr std::chrono::milliseconds kLongestPause{8};
  Wait wait{{}, std::min(deadline_, now + pause_)};
  pause_ = std::min(pause_ * 2, kLongestPause);
  return wait;
}

Progress<AddressStore> AddressStoreRequest::TryBriefly(const Cancellation& cancellation) {
  constexpr int kShortWaits = 16;
  constexpr std::chrono::microseconds kShortWait{25};
  for (int i = 0; i < kShortWaits; ++i) {
    if (auto store = AddressStore::TryOpen(directory_, unready_)) return std::move(*store);
    std::this_thread::sleep_for(kShortWait);
  }
  return Try(cancellation);
}

}  // namespace vulcan

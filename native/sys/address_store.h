#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "base/wait.h"
#include "sys/address_ranges.h"
#include "sys/address_runs.h"
#include "sys/directory.h"

namespace vulcan {

// What a process remembers of the stores it has used: which addresses are taken, as far as it has met them.
// Others change a store, too, so this only tells where to try first; the files decide.
class AddressHints {
 public:
  [[nodiscard]] AddressRuns& Of(const std::string& directory, int family);

 private:
  std::map<std::string, std::array<AddressRuns, 2>> runs_;
};

struct ReservedAddress {
  IpAddress address;
  int prefix_length = 0;
  std::optional<IpAddress> gateway;
};

// What to do about a store without its lock's file, which comes last of all: not all that VMs have is in it
// yet, so that nobody is to be given an address of it. It can be changed all the same, but under no lock.
enum class UnreadyStore { kRefuse, kChange };

// host-local's store of a network, in its own format and under its own lock, which this object holds: a file
// for each address that says who has it. An owner is "<containerId>\r\n<ifName>".
class AddressStore {
 public:
  // One attempt, which never blocks. Empty: somebody else holds the lock. ENOENT with reason kStoreMissing
  // where the directory is not there, or not ready: so long nobody knows which addresses are taken.
  [[nodiscard]] static std::optional<AddressStore> TryOpen(const std::string& directory,
                                                           UnreadyStore unready = UnreadyStore::kRefuse);

  // A free address. ENOSPC with reason kAddressesExhausted when there is none.
  [[nodiscard]] ReservedAddress Reserve(const RangeSet& set, const std::string& owner, AddressHints& hints);
  // This one. EEXIST with reason kAddressTaken when it is somebody's, EINVAL when it is none of the set.
  [[nodiscard]] ReservedAddress ReserveThis(const IpAddress& address, const RangeSet& set,
                                            const std::string& owner, AddressHints& hints);

  // Whether it was `from`'s; then it is `to`'s, and under the lock nobody has seen it free.
  [[nodiscard]] bool Give(const IpAddress& address, const std::string& from, const std::string& to) const;

  // Whether it was the owner's; what is somebody else's stays.
  bool Release(const IpAddress& address, const std::string& owner, AddressHints& hints);
  // Every address of the owner, by reading all files, as host-local does it. What was released.
  [[nodiscard]] std::vector<IpAddress> ReleaseAll(const std::string& owner, AddressHints& hints);

 private:
  AddressStore(Directory directory, UniqueFd lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}

  [[nodiscard]] std::optional<IpAddress> LastReserved(unsigned set) const;
  void WriteLastReserved(unsigned set, const IpAddress& address) const;
  void Remember(unsigned set, const IpAddress& address, const std::string& owner, AddressHints& hints);
  void ReadTaken(int family, AddressRuns& taken) const;
  [[nodiscard]] std::optional<std::string> OwnerOf(const std::string& name) const;

  Directory directory_;
  UniqueFd lock_;
};

// Makes the directory, and its lock's file, unless they are there.
void MakeAddressStore(const std::string& directory);
// The directory alone: the store is not ready.
void BeginAddressStore(const std::string& directory);

// For a body that only releases addresses: what is not there holds none.
template <typename Body>
void UnlessStoreIsMissing(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.GetReason() != Reason::kStoreMissing) throw;
  }
}

struct Reservation {
  IpAddress address;
  std::string owner;
  // Since it was written.
  double age_ms = 0;
};

// All that a store holds, as it is at this moment; its lock is not needed for that. Empty without a
// directory.
[[nodiscard]] std::vector<Reservation> ListReservations(const std::string& directory);

// Whose the file says that the address is, seen from an owner. As nobody takes what is another's, this needs
// no lock: only who has removed the store can have made it somebody else's, or nobody's.
enum class Holder { kOwner, kAnother, kNobody };
[[nodiscard]] Holder HolderOf(const std::string& directory, const IpAddress& address,
                              const std::string& owner);

// An attempt that goes on until its deadline, without ever blocking the thread.
class AddressStoreRequest {
 public:
  AddressStoreRequest(std::string directory, std::chrono::milliseconds timeout,
                      UnreadyStore unready = UnreadyStore::kRefuse)
      : directory_(std::move(directory)), unready_(unready), deadline_(Clock::now() + timeout) {}

  // ETIMEDOUT with reason kLockHeld after the deadline.
  [[nodiscard]] Progress<AddressStore> Try(const Cancellation& cancellation);
  // For what can't be cancelled.
  [[nodiscard]] Progress<AddressStore> Try();
  // As with a cancellation, but sleeps a little before it gives way: whoever holds the store is done in a
  // fraction of the millisecond that a Wait takes at least.
  [[nodiscard]] Progress<AddressStore> TryBriefly(const Cancellation& cancellation);

 private:
  std::string directory_;
  UnreadyStore unready_;
  Clock::time_point deadline_;
  std::chrono::milliseconds pause_{1};
};

}  // namespace vulcan

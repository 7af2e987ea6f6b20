#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "base/cancellation.h"
#include "base/unique_fd.h"
#include "base/wait.h"
#include "sys/directory.h"
#include "sys/netns.h"

namespace vulcan {

enum class LockMode { kExclusive, kShared };

// What is likely of a lock's file; where it is otherwise, that costs one call more.
enum class LockFile { kAbsent, kPresent };

// What a VM's lock file says: which namespace was made under the lock, and whose the attachment is where that
// is not the VM's own id.
struct Claim {
  std::optional<NamespaceId> netns;
  // Empty: the VM's own.
  std::string container;

  [[nodiscard]] bool IsEmpty() const noexcept { return !netns && container.empty(); }
  friend bool operator==(const Claim&, const Claim&) = default;
};

// A held flock. It belongs to the open file, so children that inherit the descriptor hold it, too: until they
// are left to it, it is released for all of them, as those that one leaves behind are nobody's work. Its file
// carries the claim.
class Lock {
 public:
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  Lock(Lock&&) noexcept = default;
  Lock& operator=(Lock&&) noexcept = default;

  // One attempt, which never blocks. Empty: somebody else holds it.
  [[nodiscard]] static std::optional<Lock> TryAcquire(const Directory& directory, const std::string& name,
                                                      LockMode mode, LockFile likely = LockFile::kAbsent);

  [[nodiscard]] int Fd() const noexcept { return fd_.Get(); }
  // The descriptor, for a child to inherit.
  [[nodiscard]] int Lend() noexcept {
    is_lent_ = true;
    return Fd();
  }
  // From now on it ends with the last of those that have the descriptor: what a child that was killed has
  // left may still be at work.
  void LeaveToChildren() noexcept { is_left_ = true; }
  // Whether nobody had left the file.
  [[nodiscard]] bool IsNew() const noexcept { return is_new_; }
  // Unlinks the file, still under the lock; whoever waits for it starts again on a new one.
  void RemoveFile();
  // The same for a file that nobody needs: it claims nothing, and nobody shares the lock. Best effort.
  void RemoveUnclaimedFile() noexcept;

  [[nodiscard]] Claim ReadClaim() const;
  // A container's name is in the file from the first write on, whenever the process ends.
  void WriteClaim(const Claim& claim);

 private:
  Lock(Directory directory, UniqueFd fd, bool is_new, std::string name, std::string path, LockMode mode)
      : directory_(std::move(directory)),
        fd_(std::move(fd)),
        is_new_(is_new),
        name_(std::move(name)),
        path_(std::move(path)),
        mode_(mode) {}
  // EINVAL where it is no regular file.
  void Identify();
  // Whether it was to be had.
  [[nodiscard]] bool TryFlock() const;
  // The size of the locked file; empty when the name no longer leads to it.
  [[nodiscard]] std::optional<std::size_t> CurrentSize() const;

  Directory directory_;
  UniqueFd fd_;
  bool is_new_;
  // Its file system is: nothing can be claimed.
  bool is_read_only_ = false;
  std::string name_;
  std::string path_;
  LockMode mode_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  // At most: only who holds the lock alone writes.
  std::size_t size_ = 0;
  bool is_lent_ = false;
  bool is_left_ = false;
};

// What the lock files of a directory claim, by name, whoever holds them.
using Claims = std::map<std::string, Claim>;
[[nodiscard]] Claims ReadClaims(const std::string& directory);

// An attempt that goes on until its deadline, without ever blocking the thread. Those who would share the
// lock let whoever waits for it alone go first, or it would never come to an end of them.
class LockRequest {
 public:
  LockRequest(std::string directory, std::string name, LockMode mode, std::chrono::milliseconds timeout,
              LockFile likely = LockFile::kAbsent);

  // ETIMEDOUT with reason kLockHeld after the deadline.
  [[nodiscard]] Progress<Lock> Try(const Cancellation& cancellation);
  // The same in a directory that is open already.
  [[nodiscard]] Progress<Lock> Try(const Directory& directory, const Cancellation& cancellation);

 private:
  std::string directory_;
  std::string name_;
  LockMode mode_;
  LockFile likely_;
  Clock::time_point deadline_;
  UniqueFd announcement_;
  std::chrono::milliseconds pause_{1};
};

}  // namespace vulcan

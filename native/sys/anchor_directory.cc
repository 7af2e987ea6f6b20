#include "sys/anchor_directory.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/wait.h"
#include "sys/mount_info.h"

namespace vulcan {
namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr int kPauseMs = 5;

[[nodiscard]] std::uint64_t MountIdOf(const Directory& directory) {
  struct statx status {};
  if (::statx(directory.Fd(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) {
    throw SystemError("statx", directory.Path());
  }
  return status.stx_mnt_id;
}

// `ip netns` takes the same lock for the same purpose. Anybody may hold it, so it is never waited for for
// ever.
void LockAsIproute2(const Directory& directory, const Cancellation& cancellation) {
  const auto deadline = Clock::now() + kPatience;
  while (::flock(directory.Fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw SystemError("flock", directory.Path());
    if (Clock::now() >= deadline)
      throw Error(ETIMEDOUT, "flock").Path(directory.Path()).Why(Reason::kLockHeld);
    pollfd cancelled{cancellation.Fd(), POLLIN, 0};
    ::poll(&cancelled, 1, kPauseMs);
    cancellation.ThrowIfCancelled();
  }
}

// No mount is in two namespaces, and its number is unique among all. /proc/1/ns/mnt would say the same, but
// some hosts don't let even root look there.
[[nodiscard]] bool SharesMount(const std::vector<MountInfo>& ours, const std::vector<MountInfo>& theirs) {
  std::set<std::uint64_t> ids;
  for (const MountInfo& mount : ours) ids.insert(mount.id);
  return std::any_of(theirs.begin(), theirs.end(),
                     [&ids](const MountInfo& mount) { return ids.contains(mount.id); });
}

}  // namespace

Directory OpenAnchorDirectory(const std::string& path, const Cancellation& cancellation) {
  if (auto directory = Directory::OpenIfPresent(path); directory && directory->IsMount())
    return std::move(*directory);
  EnsureDirectory(path, 0755);
  const Directory plain = Directory::Open(path);
  LockAsIproute2(plain, cancellation);

  // Somebody else may have mounted it while we waited.
  if (!Directory::Open(path).IsMount()) {
    if (::mount(path.c_str(), path.c_str(), "none", MS_BIND | MS_REC, nullptr) != 0)
      throw SystemError("mount", path);
    if (::mount("", path.c_str(), "none", MS_SHARED | MS_REC, nullptr) != 0) {
      Error error = SystemError("mount(MS_SHARED)", path);
      if (::umount2(path.c_str(), MNT_DETACH) != 0) error.UndoFailed(SystemError("umount", path));
      throw error;
    }
  }
  return Directory::Open(path);
}

MountState GetMountState(const std::string& path) {
  const auto mounts = ReadMountInfo("/proc/thread-self/mountinfo");
  const auto theirs = ReadMountInfo("/proc/1/mountinfo");
  const bool is_hosts = SharesMount(mounts, theirs);
  const auto directory = Directory::OpenIfPresent(path);
  // Made as a shared mount, it will be.
  if (!directory || (is_hosts && !directory->IsMount())) return {is_hosts, is_hosts};
  const auto id = MountIdOf(*directory);
  const auto mount =
      std::find_if(mounts.begin(), mounts.end(), [id](const MountInfo& each) { return each.id == id; });
  if (mount == mounts.end() || mount->peers.empty()) return {is_hosts, false};
  return {is_hosts, std::any_of(theirs.begin(), theirs.end(),
                                [&mount](const MountInfo& each) { return each.peers == mount->peers; })};
}

}  // namespace vulcan

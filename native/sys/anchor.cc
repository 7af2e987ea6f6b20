#include "sys/anchor.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>
#include <optional>

#include "base/error.h"
#include "base/undo.h"
#include "sys/age.h"
#include "sys/anchor_directory.h"
#include "sys/directory.h"
#include "sys/holders.h"

namespace vulcan {
namespace {

[[nodiscard]] std::string PathOfFd(int fd) { return "/proc/thread-self/fd/" + std::to_string(fd); }

// Whatever has the name; empty when nothing has.
[[nodiscard]] UniqueFd OpenName(const Directory& directory, const std::string& name) {
  UniqueFd fd(::openat(directory.Fd(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno != ENOENT) throw SystemError("openat", directory.PathOf(name));
  return fd;
}

[[nodiscard]] bool IsNetworkNamespace(const UniqueFd& path_fd) {
  struct statfs file_system {};
  if (::fstatfs(path_fd.Get(), &file_system) != 0) throw SystemError("fstatfs");
  if (file_system.f_type != NSFS_MAGIC) return false;
  const UniqueFd opened(::open(PathOfFd(path_fd.Get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) throw SystemError("open", PathOfFd(path_fd.Get()));
  const int type = ::ioctl(opened.Get(), NS_GET_NSTYPE);
  if (type < 0) throw SystemError("ioctl(NS_GET_NSTYPE)", PathOfFd(path_fd.Get()));
  return type == CLONE_NEWNET;
}

[[nodiscard]] NamespaceId OwnNamespace() { return IdOfNamespace(OpenNamespace("/proc/self/ns/net").Get()); }

[[nodiscard]] AnchorState StateOf(const UniqueFd& path_fd, const Claim& claim, const NamespaceId& own) {
  struct stat status {};
  if (::fstat(path_fd.Get(), &status) != 0) throw SystemError("fstat");
  AnchorState state;
  state.id = {status.st_dev, status.st_ino};
  state.container = claim.container;
  state.age_ms = AgeMs(status.st_ctim);
  if (IsNetworkNamespace(path_fd)) {
    state.kind = AnchorKind::kNamespace;
    state.claimed = claim.netns == state.id;
    state.is_host = state.id == own;
  } else if (S_ISREG(status.st_mode)) {
    state.kind = AnchorKind::kFile;
    state.claimed = claim.netns.has_value();
  } else {
    state.kind = AnchorKind::kOther;
  }
  return state;
}

[[nodiscard]] Error Taken(const Directory& directory, const std::string& name) {
  return Error(EEXIST, "open").Path(directory.PathOf(name)).Why(Reason::kForeign);
}

void Unlink(const Directory& directory, const std::string& name) {
  if (::unlinkat(directory.Fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
    throw SystemError("unlink", directory.PathOf(name));
  }
}

void Unmount(const UniqueFd& path_fd, const std::string& path) {
  if (::umount2(PathOfFd(path_fd.Get()).c_str(), MNT_DETACH) != 0) throw SystemError("umount", path);
}

void UnlinkPlainFile(const Directory& directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory.Fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    throw SystemError("fstatat", directory.PathOf(name));
  }
  if (!S_ISREG(status.st_mode) || status.st_size != 0) throw Taken(directory, name);
  Unlink(directory, name);
}

// What had the name, or nothing.
[[nodiscard]] UniqueFd RemoveName(const Directory& directory, const std::string& name,
                                  const std::optional<NamespaceId>& claim, AnchorOwner owner) {
  UniqueFd fd = OpenName(directory, name);
  if (fd) {
    // Only network namespaces are claimed, and nothing else has the number of one.
    const bool is_claimed_namespace = claim == IdOfNamespace(fd.Get());
    const bool is_namespace = is_claimed_namespace || IsNetworkNamespace(fd);
    // A plain file may be a namespace seen from here: any claim speaks of it.
    const bool is_claimed = is_claimed_namespace || (claim && !is_namespace);
    if (owner == AnchorOwner::kLock && !is_claimed) throw Taken(directory, name);
    if (is_namespace) Unmount(fd, directory.PathOf(name));
  }
  UnlinkPlainFile(directory, name);
  return fd;
}

}  // namespace

NamespaceId NameNamespace(const Directory& directory, const std::string& name, Lock& lock, int ns_fd) {
  const NamespaceId id = IdOfNamespace(ns_fd);
  UndoStack undo;
  try {
    // What the old claim speaks of may be what somebody put there meanwhile.
    const Claim previous = lock.ReadClaim();
    undo.Push([&lock, previous] { lock.WriteClaim(previous); });
    lock.WriteClaim({id, previous.container});

    const UniqueFd file(
        ::openat(directory.Fd(), name.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0));
    if (!file) throw errno == EEXIST ? Taken(directory, name) : SystemError("openat", directory.PathOf(name));
    undo.Push([&directory, &name] { Unlink(directory, name); });

    if (::mount(PathOfFd(ns_fd).c_str(), PathOfFd(file.Get()).c_str(), "none", MS_BIND, nullptr) != 0) {
      throw SystemError("mount", directory.PathOf(name));
    }
    return id;
  } catch (Error& error) {
    undo.Unwind(error);
    throw;
  }
}

AnchorState CreateAnchor(const std::string& path, const std::string& name, Lock& lock,
                         const std::string& container, const Cancellation& cancellation) {
  const Directory directory = OpenAnchorDirectory(path, cancellation);
  if (OpenName(directory, name)) throw Taken(directory, name);
  if (!container.empty()) lock.WriteClaim({lock.ReadClaim().netns, container});
  return InNewNamespace([&] {
    cancellation.ThrowIfCancelled();
    const UniqueFd ns = OpenCurrentNamespace();
    AnchorState state;
    state.id = NameNamespace(directory, name, lock, ns.Get());
    state.kind = AnchorKind::kNamespace;
    state.claimed = true;
    return state;
  });
}

AnchorState GetAnchorState(const std::string& path, const std::string& name, const Lock* lock) {
  const Claim claim = lock != nullptr ? lock->ReadClaim() : Claim{};
  const auto directory = Directory::OpenIfPresent(path);
  const UniqueFd fd = directory ? OpenName(*directory, name) : UniqueFd();
  if (fd) return StateOf(fd, claim, OwnNamespace());
  AnchorState absent;
  absent.claimed = claim.netns.has_value();
  absent.container = claim.container;
  return absent;
}

UniqueFd UnnameNamespace(const std::string& path, const std::string& name, Lock& lock, AnchorOwner owner) {
  const Claim claim = lock.ReadClaim();
  UniqueFd unnamed;
  if (const auto directory = Directory::OpenIfPresent(path)) {
    unnamed = RemoveName(*directory, name, claim.netns, owner);
  }
  // Until the file goes it is known by the container what else there is to remove.
  lock.WriteClaim({std::nullopt, claim.container});
  return unnamed;
}

void RemoveAnchor(const std::string& path, const std::string& name, Lock& lock, AnchorOwner owner) {
  static_cast<void>(UnnameNamespace(path, name, lock, owner));
}

void ClaimAnchor(const std::string& directory, const std::string& name, Lock& lock,
                 const std::string& container) {
  const AnchorState state = GetAnchorState(directory, name, &lock);
  if (state.kind != AnchorKind::kNamespace || state.is_host) {
    throw Error(EINVAL, "open", "not a namespace of a VM").Path(directory + "/" + name).Why(Reason::kForeign);
  }
  lock.WriteClaim({state.id, container});
}

std::optional<NamespaceId> RestoreAnchor(const std::string& path, const std::string& name, Lock& lock,
                                         const Cancellation& cancellation) {
  const auto claim = lock.ReadClaim().netns;
  if (!claim) return std::nullopt;
  const UniqueFd ns = OpenHeldNamespace(*claim, cancellation);
  if (!ns) return std::nullopt;
  const Directory directory = OpenAnchorDirectory(path, cancellation);
  if (const UniqueFd fd = OpenName(directory, name)) {
    if (IsNetworkNamespace(fd)) throw Taken(directory, name);
    UnlinkPlainFile(directory, name);
  }
  return NameNamespace(directory, name, lock, ns.Get());
}

std::map<std::string, AnchorState> ListAnchorStates(const std::string& path, const std::string& prefix,
                                                    const Claims& claims) {
  std::map<std::string, AnchorState> states;
  const auto directory = Directory::OpenIfPresent(path);
  if (!directory) return states;
  const NamespaceId own = OwnNamespace();
  for (const std::string& name : directory->Names()) {
    if (!name.starts_with(prefix)) continue;
    const UniqueFd fd = OpenName(*directory, name);
    if (!fd) continue;
    const auto claim = claims.find(name.substr(prefix.size()));
    states[name] = StateOf(fd, claim == claims.end() ? Claim{} : claim->second, own);
  }
  return states;
}

std::vector<std::string> ListAnchors(const std::string& path, const std::string& prefix) {
  const auto directory = Directory::OpenIfPresent(path);
  if (!directory) return {};
  std::vector<std::string> names = directory->Names();
  std::erase_if(names, [&prefix](const std::string& name) { return !name.starts_with(prefix); });
  return names;
}

}  // namespace vulcan

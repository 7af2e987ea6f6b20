#include "sys/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "sys/file_store.h"
#include "sys/io.h"

namespace vulcan {
namespace {

constexpr std::size_t kClaimLimit = 256;

struct OpenedFile {
  UniqueFd fd;
  bool is_new;
  bool is_read_only;
};

[[nodiscard]] OpenedFile OpenLockFile(const Directory& directory, const std::string& name,
                                      const std::string& path, LockFile likely) {
  // O_NONBLOCK and the check: what is no regular file is nobody's lock.
  constexpr int kFlags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int first = likely == LockFile::kPresent ? 0 : O_CREAT | O_EXCL;
  for (;;) {
    for (const int creation : {first, first ^ (O_CREAT | O_EXCL)}) {
      UniqueFd fd(::openat(directory.Fd(), name.c_str(), kFlags | O_RDWR | creation, 0600));
      if (fd) return {std::move(fd), creation != 0, false};
      if (errno == EROFS) {
        // Enough for a flock: the VM is to be cut off all the same.
        fd.Reset(::openat(directory.Fd(), name.c_str(), kFlags | O_RDONLY));
        if (fd) return {std::move(fd), false, true};
        errno = EROFS;
      }
      if (errno != (creation != 0 ? EEXIST : ENOENT)) throw SystemError("openat", path);
    }
  }
}

// A lock on the file's first byte, which has nothing to do with its flock, and ends with the descriptor.
[[nodiscard]] struct flock FirstByte() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_len = 1;
  return range;
}

[[nodiscard]] bool IsAwaited(int fd, const std::string& path) {
  struct flock range = FirstByte();
  if (::fcntl(fd, F_OFD_GETLK, &range) != 0) throw SystemError("fcntl(F_OFD_GETLK)", path);
  return range.l_type != F_UNLCK;
}

// Empty when there is no such file, or somebody else's turn comes first.
[[nodiscard]] UniqueFd TryAnnounce(const Directory& directory, const std::string& name) {
  UniqueFd fd(
      ::openat(directory.Fd(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct flock range = FirstByte();
  if (!fd || ::fcntl(fd.Get(), F_OFD_SETLK, &range) != 0) return {};
  return fd;
}

[[nodiscard]] std::optional<NamespaceId> ParseNamespace(const std::string& line) {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  if (std::sscanf(line.c_str(), "%" SCNu64 ":%" SCNu64, &device, &inode) != 2) return std::nullopt;
  return NamespaceId{device, inode};
}

// A line of the namespace, which may be empty, and one of the container, which may be missing.
[[nodiscard]] Claim ParseClaim(const std::string& text) {
  const auto first = text.find('\n');
  Claim claim{ParseNamespace(text.substr(0, first)), {}};
  if (first == std::string::npos) return claim;
  const auto second = text.find('\n', first + 1);
  if (second != std::string::npos) claim.container = text.substr(first + 1, second - first - 1);
  return claim;
}

[[nodiscard]] std::string Format(const Claim& claim) {
  if (claim.IsEmpty()) return {};
  std::string text;
  if (claim.netns) text = std::to_string(claim.netns->device) + ":" + std::to_string(claim.netns->inode);
  text += "\n";
  if (!claim.container.empty()) text += claim.container + "\n";
  return text;
}

void Truncate(int fd, std::size_t length, const std::string& path) {
  if (::ftruncate(fd, static_cast<off_t>(length)) != 0) throw SystemError("ftruncate", path);
}

}  // namespace

Lock::~Lock() {
  if (fd_ && is_lent_ && !is_left_) ::flock(Fd(), LOCK_UN);
}

std::optional<Lock> Lock::TryAcquire(const Directory& directory, const std::string& name, LockMode mode,
                                     LockFile likely) {
  const std::string path = directory.PathOf(name);
  for (;;) {
    OpenedFile file = OpenLockFile(directory, name, path, likely);
    Lock lock(directory, std::move(file.fd), file.is_new, name, path, mode);
    lock.is_read_only_ = file.is_read_only;
    try {
      lock.Identify();
      if (!lock.TryFlock()) return std::nullopt;
      if (const auto size = lock.CurrentSize()) {
        lock.size_ = *size;
        return lock;
      }
    } catch (const Error&) {
      // One that was there may be a pool's, whose name alone says something.
      if (lock.is_new_) lock.RemoveUnclaimedFile();
      throw;
    }
  }
}

void Lock::Identify() {
  struct stat status {};
  if (::fstat(Fd(), &status) != 0) throw SystemError("fstat", path_);
  if (!S_ISREG(status.st_mode)) throw Error(EINVAL, "openat", "not a regular file").Path(path_);
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

bool Lock::TryFlock() const {
  if (mode_ == LockMode::kShared && IsAwaited(Fd(), path_)) return false;
  const int operation = (mode_ == LockMode::kExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
  while (::flock(Fd(), operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw SystemError("flock", path_);
  }
  return true;
}

std::optional<std::size_t> Lock::CurrentSize() const {
  struct stat named {};
  if (::fstatat(directory_.Fd(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError("fstatat", path_);
  }
  if (named.st_dev != device_ || named.st_ino != inode_) return std::nullopt;
  return static_cast<std::size_t>(named.st_size);
}

void Lock::RemoveFile() {
  if (!CurrentSize()) return;
  if (::unlinkat(directory_.Fd(), name_.c_str(), 0) != 0) throw SystemError("unlink", path_);
}

void Lock::RemoveUnclaimedFile() noexcept {
  if (mode_ != LockMode::kExclusive || ::flock(Fd(), LOCK_EX | LOCK_NB) != 0) return;
  try {
    Identify();
    if (CurrentSize() == std::size_t{0}) RemoveFile();
  } catch (const Error&) {
    // An empty file stays behind, which whoever wants the lock next takes over.
  }
}

Claim Lock::ReadClaim() const {
  if (size_ == 0) return {};
  std::string text(kClaimLimit + 1, '\0');
  ssize_t got = 0;
  do {
    got = ::pread(Fd(), text.data(), text.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw SystemError("pread", path_);
  text.resize(static_cast<std::size_t>(got));
  if (text.size() > kClaimLimit) throw Error(EFBIG, "pread").Path(path_);
  return ParseClaim(text);
}

void Lock::WriteClaim(const Claim& claim) {
  if (is_read_only_) throw Error(EROFS, "openat").Path(path_);
  const std::string text = Format(claim);
  const bool is_kept = !claim.container.empty();
  const std::size_t before = std::exchange(size_, std::max(size_, text.size()));
  if (!is_kept && before > 0) Truncate(Fd(), 0, path_);
  Overwrite(Fd(), text, path_);
  // What stays of a longer text comes after both lines.
  if (is_kept && before > text.size()) Truncate(Fd(), text.size(), path_);
  size_ = text.size();
}

Claims ReadClaims(const std::string& path) {
  Claims claims;
  const auto directory = Directory::OpenIfPresent(path);
  if (!directory) return claims;
  for (const std::string& name : ListFiles(*directory)) {
    try {
      // Its holder may remove it at any moment.
      if (const auto text = ReadFile(*directory, name, kClaimLimit)) claims[name] = ParseClaim(*text);
    } catch (const Error& error) {
      if (error.Errnum() != EFBIG) throw;
      claims[name] = {};
    }
  }
  return claims;
}

LockRequest::LockRequest(std::string directory, std::string name, LockMode mode,
                         std::chrono::milliseconds timeout, LockFile likely)
    : directory_(std::move(directory)),
      name_(std::move(name)),
      mode_(mode),
      // Whoever shares one is seldom the first.
      likely_(mode == LockMode::kShared ? LockFile::kPresent : likely),
      deadline_(Clock::now() + timeout) {}

Progress<Lock> LockRequest::Try(const Cancellation& cancellation) {
  cancellation.ThrowIfCancelled();
  return Try(OpenStateDirectory(directory_), cancellation);
}

Progress<Lock> LockRequest::Try(const Directory& directory, const Cancellation& cancellation) {
  cancellation.ThrowIfCancelled();
  if (auto lock = Lock::TryAcquire(directory, name_, mode_, likely_)) {
    announcement_.Reset();
    return std::move(*lock);
  }
  if (mode_ == LockMode::kExclusive && !announcement_) announcement_ = TryAnnounce(directory, name_);
  const auto now = Clock::now();
  if (now >= deadline_) {
    throw Error(ETIMEDOUT, "flock", "another process holds the lock")
        .Path(directory.PathOf(name_))
        .Why(Reason::kLockHeld);
  }
  constexpr std::chrono::milliseconds kLongestPause{32};
  Wait wait{{{cancellation.Fd(), POLLIN, 0}}, std::min(deadline_, now + pause_)};
  pause_ = std::min(pause_ * 2, kLongestPause);
  return wait;
}

}  // namespace vulcan

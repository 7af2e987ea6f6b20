// What takes a descriptor, or makes one of nothing.
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>

#include "shim/forged.h"
#include "shim/next.h"
#include "shim/point.h"
#include "shim/stand_before.h"

namespace vulcan::shim {
namespace {

constexpr int kFailed = -1;

[[nodiscard]] bool IsEvent(int fd) { return Subject(fd).Describe() == "anon_inode:[eventfd]"; }

// What is read in as many pieces as it happens to arrive in.
[[nodiscard]] bool IsChance(int fd) { return IsEvent(fd) || Subject(fd).Describe().starts_with("pipe:"); }

}  // namespace

VULCAN_STAND_BEFORE(close, int, Close, int fd) {
  static auto* const next = Next(&Close, "close");
  if (!IsWatched()) return next(fd);
  ForgetForged(fd);
  bool closed = false;
  const int result = Before("close", fd, kFailed, [&] {
    closed = true;
    return next(fd);
  });
  if (closed) return result;
  // The kernel closes a descriptor whatever it says about it.
  const int error = errno;
  static_cast<void>(next(fd));
  errno = error;
  return kFailed;
}

VULCAN_STAND_BEFORE(closedir, int, CloseDirectory, DIR* stream) {
  static auto* const next = Next(&CloseDirectory, "closedir");
  bool closed = false;
  const int result = Before("closedir", ::dirfd(stream), kFailed, [&] {
    closed = true;
    return next(stream);
  });
  if (!closed) static_cast<void>(next(stream));
  return result;
}

VULCAN_STAND_BEFORE(fclose, int, FileClose, FILE* file) {
  static auto* const next = Next(&FileClose, "fclose");
  bool closed = false;
  const int result = Before("fclose", "", kFailed, [&] {
    closed = true;
    return next(file);
  });
  if (!closed) static_cast<void>(next(file));
  return result;
}

VULCAN_STAND_BEFORE(fdopendir, DIR*, DirectoryOf, int fd) {
  static auto* const next = Next(&DirectoryOf, "fdopendir");
  return Before<DIR*>("fdopendir", fd, nullptr, [&] { return next(fd); });
}

VULCAN_STAND_BEFORE(readdir, dirent*, ReadDirectory, DIR* stream) {
  static auto* const next = Next(&ReadDirectory, "readdir");
  return Before<dirent*>("readdir", ::dirfd(stream), nullptr, [&] { return next(stream); });
}

VULCAN_STAND_BEFORE(readdir64, dirent64*, ReadDirectory64, DIR* stream) {
  static auto* const next = Next(&ReadDirectory64, "readdir64");
  return Before<dirent64*>("readdir", ::dirfd(stream), nullptr, [&] { return next(stream); });
}

VULCAN_STAND_BEFORE(read, ssize_t, Read, int fd, void* data, size_t size) {
  static auto* const next = Next(&Read, "read");
  const auto call = [&] { return next(fd, data, size); };
  return IsWatched() && IsChance(fd) ? BeforeAs<ssize_t>(WaitKey(), "read", fd, kFailed, call)
                                     : Before<ssize_t>("read", fd, kFailed, call);
}

VULCAN_STAND_BEFORE(__read_chk, ssize_t, ReadChecked, int fd, void* data, size_t size, size_t room) {
  static auto* const next = Next(&ReadChecked, "__read_chk");
  return Before<ssize_t>("read", fd, kFailed, [&] { return next(fd, data, size, room); });
}

VULCAN_STAND_BEFORE(pread64, ssize_t, ReadAt, int fd, void* data, size_t size, off64_t offset) {
  static auto* const next = Next(&ReadAt, "pread64");
  return Before<ssize_t>("pread", fd, kFailed, [&] { return next(fd, data, size, offset); });
}

// Events are what Node wakes its own thread with.
VULCAN_STAND_BEFORE(write, ssize_t, Write, int fd, const void* data, size_t size) {
  static auto* const next = Next(&Write, "write");
  if (IsWatched() && IsEvent(fd)) return next(fd, data, size);
  return Before<ssize_t>("write", fd, kFailed, [&] { return next(fd, data, size); });
}

VULCAN_STAND_BEFORE(pwrite64, ssize_t, WriteAt, int fd, const void* data, size_t size, off64_t offset) {
  static auto* const next = Next(&WriteAt, "pwrite64");
  return Before<ssize_t>("pwrite", fd, kFailed, [&] { return next(fd, data, size, offset); });
}

VULCAN_STAND_BEFORE(lseek64, off64_t, Seek, int fd, off64_t offset, int whence) {
  static auto* const next = Next(&Seek, "lseek64");
  return Before<off64_t>("lseek", fd, kFailed, [&] { return next(fd, offset, whence); });
}

VULCAN_STAND_BEFORE(ftruncate64, int, Truncate, int fd, off64_t size) {
  static auto* const next = Next(&Truncate, "ftruncate64");
  return Before("ftruncate", fd, kFailed, [&] { return next(fd, size); });
}

VULCAN_STAND_BEFORE(fstat, int, StatFd, int fd, struct stat* status) {
  static auto* const next = Next(&StatFd, "fstat");
  return Before("fstat", fd, kFailed, [&] { return next(fd, status); });
}

VULCAN_STAND_BEFORE(fstat64, int, StatFd64, int fd, struct stat64* status) {
  static auto* const next = Next(&StatFd64, "fstat64");
  return Before("fstat", fd, kFailed, [&] { return next(fd, status); });
}

VULCAN_STAND_BEFORE(fstatfs, int, StatFsFd, int fd, struct statfs* status) {
  static auto* const next = Next(&StatFsFd, "fstatfs");
  return Before("fstatfs", fd, kFailed, [&] { return next(fd, status); });
}

VULCAN_STAND_BEFORE(fstatfs64, int, StatFsFd64, int fd, struct statfs64* status) {
  static auto* const next = Next(&StatFsFd64, "fstatfs64");
  return Before("fstatfs", fd, kFailed, [&] { return next(fd, status); });
}

VULCAN_STAND_BEFORE(fchmod, int, ChangeModeFd, int fd, mode_t mode) {
  static auto* const next = Next(&ChangeModeFd, "fchmod");
  return Before("fchmod", fd, kFailed, [&] { return next(fd, mode); });
}

VULCAN_STAND_BEFORE(flock, int, LockFile, int fd, int operation) {
  static auto* const next = Next(&LockFile, "flock");
  return Before("flock", fd, kFailed, [&] { return next(fd, operation); });
}

VULCAN_STAND_BEFORE(fcntl, int, FileControl, int fd, int command, long argument) {
  static auto* const next = Next(&FileControl, "fcntl");
  return Before("fcntl", fd, kFailed, [&] { return next(fd, command, argument); });
}

VULCAN_STAND_BEFORE(fcntl64, int, FileControl64, int fd, int command, long argument) {
  static auto* const next = Next(&FileControl64, "fcntl64");
  return Before("fcntl", fd, kFailed, [&] { return next(fd, command, argument); });
}

VULCAN_STAND_BEFORE(ioctl, int, DeviceControl, int fd, unsigned long request, void* argument) {
  static auto* const next = Next(&DeviceControl, "ioctl");
  return Before("ioctl", fd, kFailed, [&] { return next(fd, request, argument); });
}

VULCAN_STAND_BEFORE(eventfd, int, CreateEvent, unsigned count, int flags) {
  static auto* const next = Next(&CreateEvent, "eventfd");
  return Before("eventfd", "", kFailed, [&] { return next(count, flags); });
}

VULCAN_STAND_BEFORE(pipe2, int, CreatePipe, int* fds, int flags) {
  static auto* const next = Next(&CreatePipe, "pipe2");
  return Before("pipe2", "", kFailed, [&] { return next(fds, flags); });
}

VULCAN_STAND_BEFORE(getrandom, ssize_t, GetRandom, void* data, size_t size, unsigned flags) {
  static auto* const next = Next(&GetRandom, "getrandom");
  return Before<ssize_t>("getrandom", "", kFailed, [&] { return next(data, size, flags); });
}

VULCAN_STAND_BEFORE(poll, int, Poll, void* fds, unsigned long count, int timeout_ms) {
  static auto* const next = Next(&Poll, "poll");
  const auto call = [&] { return next(fds, count, timeout_ms); };
  return IsWatched() ? BeforeAs(WaitKey(), "poll", "", kFailed, call) : call();
}

}  // namespace vulcan::shim

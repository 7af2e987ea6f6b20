// What takes a path.
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "shim/next.h"
#include "shim/point.h"
#include "shim/stand_before.h"

namespace vulcan::shim {
namespace {

constexpr int kFailed = -1;

}  // namespace

VULCAN_STAND_BEFORE(open, int, Open, const char* path, int flags, mode_t mode) {
  static auto* const next = Next(&Open, "open");
  return Before("open", path, kFailed, [&] { return next(path, flags, mode); });
}

VULCAN_STAND_BEFORE(open64, int, Open64, const char* path, int flags, mode_t mode) {
  static auto* const next = Next(&Open64, "open64");
  return Before("open", path, kFailed, [&] { return next(path, flags, mode); });
}

VULCAN_STAND_BEFORE(openat, int, OpenAt, int fd, const char* path, int flags, mode_t mode) {
  static auto* const next = Next(&OpenAt, "openat");
  return Before("openat", path, kFailed, [&] { return next(fd, path, flags, mode); });
}

VULCAN_STAND_BEFORE(openat64, int, OpenAt64, int fd, const char* path, int flags, mode_t mode) {
  static auto* const next = Next(&OpenAt64, "openat64");
  return Before("openat", path, kFailed, [&] { return next(fd, path, flags, mode); });
}

VULCAN_STAND_BEFORE(fopen, FILE*, FileOpen, const char* path, const char* mode) {
  static auto* const next = Next(&FileOpen, "fopen");
  return Before<FILE*>("fopen", path, nullptr, [&] { return next(path, mode); });
}

VULCAN_STAND_BEFORE(fopen64, FILE*, FileOpen64, const char* path, const char* mode) {
  static auto* const next = Next(&FileOpen64, "fopen64");
  return Before<FILE*>("fopen", path, nullptr, [&] { return next(path, mode); });
}

VULCAN_STAND_BEFORE(opendir, DIR*, OpenDirectory, const char* path) {
  static auto* const next = Next(&OpenDirectory, "opendir");
  return Before<DIR*>("opendir", path, nullptr, [&] { return next(path); });
}

VULCAN_STAND_BEFORE(access, int, Access, const char* path, int mode) {
  static auto* const next = Next(&Access, "access");
  return Before("access", path, kFailed, [&] { return next(path, mode); });
}

VULCAN_STAND_BEFORE(faccessat, int, AccessAt, int fd, const char* path, int mode, int flags) {
  static auto* const next = Next(&AccessAt, "faccessat");
  return Before("faccessat", path, kFailed, [&] { return next(fd, path, mode, flags); });
}

VULCAN_STAND_BEFORE(stat, int, Stat, const char* path, struct stat* status) {
  static auto* const next = Next(&Stat, "stat");
  return Before("stat", path, kFailed, [&] { return next(path, status); });
}

VULCAN_STAND_BEFORE(stat64, int, Stat64, const char* path, struct stat64* status) {
  static auto* const next = Next(&Stat64, "stat64");
  return Before("stat", path, kFailed, [&] { return next(path, status); });
}

VULCAN_STAND_BEFORE(fstatat, int, StatAt, int fd, const char* path, struct stat* status, int flags) {
  static auto* const next = Next(&StatAt, "fstatat");
  return Before("fstatat", path, kFailed, [&] { return next(fd, path, status, flags); });
}

VULCAN_STAND_BEFORE(fstatat64, int, StatAt64, int fd, const char* path, struct stat64* status, int flags) {
  static auto* const next = Next(&StatAt64, "fstatat64");
  return Before("fstatat", path, kFailed, [&] { return next(fd, path, status, flags); });
}

VULCAN_STAND_BEFORE(statx, int, StatX, int fd, const char* path, int flags, unsigned mask,
                    struct statx* status) {
  static auto* const next = Next(&StatX, "statx");
  const Subject subject = *path == '\0' ? Subject(fd) : Subject(path);
  return Before("statx", subject, kFailed, [&] { return next(fd, path, flags, mask, status); });
}

VULCAN_STAND_BEFORE(statfs, int, StatFs, const char* path, struct statfs* status) {
  static auto* const next = Next(&StatFs, "statfs");
  return Before("statfs", path, kFailed, [&] { return next(path, status); });
}

VULCAN_STAND_BEFORE(statfs64, int, StatFs64, const char* path, struct statfs64* status) {
  static auto* const next = Next(&StatFs64, "statfs64");
  return Before("statfs", path, kFailed, [&] { return next(path, status); });
}

VULCAN_STAND_BEFORE(readlink, ssize_t, ReadLink, const char* path, char* text, size_t size) {
  static auto* const next = Next(&ReadLink, "readlink");
  return Before<ssize_t>("readlink", path, kFailed, [&] { return next(path, text, size); });
}

VULCAN_STAND_BEFORE(chmod, int, ChangeMode, const char* path, mode_t mode) {
  static auto* const next = Next(&ChangeMode, "chmod");
  return Before("chmod", path, kFailed, [&] { return next(path, mode); });
}

VULCAN_STAND_BEFORE(mkdir, int, MakeDirectory, const char* path, mode_t mode) {
  static auto* const next = Next(&MakeDirectory, "mkdir");
  return Before("mkdir", path, kFailed, [&] { return next(path, mode); });
}

VULCAN_STAND_BEFORE(linkat, int, LinkAt, int from_fd, const char* from, int to_fd, const char* to,
                    int flags) {
  static auto* const next = Next(&LinkAt, "linkat");
  return Before("linkat", to, kFailed, [&] { return next(from_fd, from, to_fd, to, flags); });
}

VULCAN_STAND_BEFORE(renameat, int, RenameAt, int from_fd, const char* from, int to_fd, const char* to) {
  static auto* const next = Next(&RenameAt, "renameat");
  return Before("renameat", to, kFailed, [&] { return next(from_fd, from, to_fd, to); });
}

VULCAN_STAND_BEFORE(renameat2, int, RenameAt2, int from_fd, const char* from, int to_fd, const char* to,
                    unsigned flags) {
  static auto* const next = Next(&RenameAt2, "renameat2");
  return Before("renameat2", to, kFailed, [&] { return next(from_fd, from, to_fd, to, flags); });
}

VULCAN_STAND_BEFORE(unlinkat, int, UnlinkAt, int fd, const char* path, int flags) {
  static auto* const next = Next(&UnlinkAt, "unlinkat");
  return Before("unlinkat", path, kFailed, [&] { return next(fd, path, flags); });
}

VULCAN_STAND_BEFORE(mount, int, Mount, const char* from, const char* to, const char* type,
                    unsigned long flags, const void* data) {
  static auto* const next = Next(&Mount, "mount");
  return Before("mount", to, kFailed, [&] { return next(from, to, type, flags, data); });
}

VULCAN_STAND_BEFORE(umount2, int, Unmount, const char* path, int flags) {
  static auto* const next = Next(&Unmount, "umount2");
  return Before("umount2", path, kFailed, [&] { return next(path, flags); });
}

VULCAN_STAND_BEFORE(if_nametoindex, unsigned, IndexOfLink, const char* name) {
  static auto* const next = Next(&IndexOfLink, "if_nametoindex");
  return Before("if_nametoindex", name, 0U, [&] { return next(name); });
}

VULCAN_STAND_BEFORE(memfd_create, int, CreateMemory, const char* name, unsigned flags) {
  static auto* const next = Next(&CreateMemory, "memfd_create");
  return Before("memfd_create", name, kFailed, [&] { return next(name, flags); });
}

}  // namespace vulcan::shim

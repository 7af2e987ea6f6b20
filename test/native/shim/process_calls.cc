// Threads, namespaces and processes.
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/types.h>
#include <time.h>

#include "shim/next.h"
#include "shim/point.h"
#include "shim/stand_before.h"

namespace vulcan::shim {
namespace {

constexpr int kFailed = -1;

// Of what returns its error.
constexpr int kInErrno = -1;

}  // namespace

VULCAN_STAND_BEFORE(unshare, int, Unshare, int flags) {
  static auto* const next = Next(&Unshare, "unshare");
  return Before("unshare", "", kFailed, [&] { return next(flags); });
}

VULCAN_STAND_BEFORE(setns, int, SetNamespace, int fd, int type) {
  static auto* const next = Next(&SetNamespace, "setns");
  return Before("setns", fd, kFailed, [&] { return next(fd, type); });
}

VULCAN_STAND_BEFORE(pthread_create, int, CreateThread, pthread_t* thread, const pthread_attr_t* attributes,
                    void* (*body)(void*), void* argument) {
  static auto* const next = Next(&CreateThread, "pthread_create");
  const int error =
      Before("pthread_create", "", kInErrno, [&] { return next(thread, attributes, body, argument); });
  return error == kInErrno ? errno : error;
}

VULCAN_STAND_BEFORE(posix_spawn, int, Spawn, pid_t* pid, const char* path,
                    const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                    char* const* arguments, char* const* environment) {
  static auto* const next = Next(&Spawn, "posix_spawn");
  const int error = Before("posix_spawn", path, kInErrno,
                           [&] { return next(pid, path, actions, attributes, arguments, environment); });
  return error == kInErrno ? errno : error;
}

VULCAN_STAND_BEFORE(waitid, int, WaitId, int type, unsigned id, siginfo_t* info, int options) {
  static auto* const next = Next(&WaitId, "waitid");
  const auto call = [&] { return next(type, id, info, options); };
  return IsWatched() ? BeforeAs(WaitKey(), "waitid", "", kFailed, call) : call();
}

VULCAN_STAND_BEFORE(waitpid, pid_t, WaitPid, pid_t pid, int* status, int options) {
  static auto* const next = Next(&WaitPid, "waitpid");
  return Before("waitpid", "", kFailed, [&] { return next(pid, status, options); });
}

VULCAN_STAND_BEFORE(kill, int, Kill, pid_t pid, int signal) {
  static auto* const next = Next(&Kill, "kill");
  return Before("kill", "", kFailed, [&] { return next(pid, signal); });
}

VULCAN_STAND_BEFORE(nanosleep, int, Sleep, const timespec* time, timespec* rest) {
  static auto* const next = Next(&Sleep, "nanosleep");
  return Before("nanosleep", "", kFailed, [&] { return next(time, rest); });
}

// pidfd_open, and whatever else libc has no name for.
VULCAN_STAND_BEFORE(syscall, long, SystemCall, long number, long a, long b, long c, long d, long e, long f) {
  static auto* const next = Next(&SystemCall, "syscall");
  const std::string subject = std::to_string(number);
  return Before<long>("syscall", subject.c_str(), kFailed, [&] { return next(number, a, b, c, d, e, f); });
}

}  // namespace vulcan::shim

#include "sys/netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "base/error.h"

namespace vulcan {
namespace {

// What it throws, or nothing.
[[nodiscard]] std::exception_ptr FailureOf(const std::function<void()>& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

void OnFreshThread(
    const std::function<void()>& body, const std::function<void()>& beside = [] {}) {
  std::exception_ptr failure;
  std::thread thread([&failure, &body] { failure = FailureOf(body); });
  const std::exception_ptr other = FailureOf(beside);
  thread.join();
  if (failure) std::rethrow_exception(failure);
  if (other) std::rethrow_exception(other);
}

}  // namespace

NamespaceId IdOfNamespace(int ns_fd) {
  struct stat status {};
  if (::fstat(ns_fd, &status) != 0) throw SystemError("fstat");
  return {status.st_dev, status.st_ino};
}

UniqueFd OpenNamespace(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw SystemError("open", path);
  // What isn't on nsfs doesn't know the request.
  const int type = ::ioctl(fd.Get(), NS_GET_NSTYPE);
  if (type < 0 && errno != ENOTTY && errno != EINVAL) throw SystemError("ioctl(NS_GET_NSTYPE)", path);
  if (type != CLONE_NEWNET) {
    throw Error(EINVAL, "ioctl(NS_GET_NSTYPE)", "not a network namespace")
        .Path(path)
        .Why(Reason::kNotANamespace);
  }
  return fd;
}

UniqueFd OpenCurrentNamespace() { return OpenNamespace("/proc/thread-self/ns/net"); }

bool IsHostNamespace(const std::string& path) {
  struct stat other {};
  if (::stat(path.c_str(), &other) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw SystemError("stat", path);
  }
  const NamespaceId own = IdOfNamespace(OpenNamespace("/proc/self/ns/net").Get());
  return own == NamespaceId{other.st_dev, other.st_ino};
}

void EnterNamespace(int ns_fd) {
  if (::setns(ns_fd, CLONE_NEWNET) != 0) throw SystemError("setns");
}

void RunInNamespace(int ns_fd, const std::function<void()>& body, const std::function<void()>& beside) {
  OnFreshThread(
      [ns_fd, &body] {
        EnterNamespace(ns_fd);
        body();
      },
      beside);
}

void RunInNewNamespace(const std::function<void()>& body) {
  OnFreshThread([&body] {
    if (::unshare(CLONE_NEWNET) != 0) throw SystemError("unshare");
    body();
  });
}

}  // namespace vulcan

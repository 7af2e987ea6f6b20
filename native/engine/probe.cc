#include "engine/probe.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include <cerrno>
#include <iterator>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

constexpr const char* kThisNamespace = "/proc/thread-self/ns/net";

// On a tmpfs that only this thread's mount namespace has; both end with the thread.
void BindNamespace() {
  constexpr const char* kDirectory = "/run";
  constexpr const char* kName = "/run/probe";
  if (::unshare(CLONE_NEWNS) < 0) throw SystemError("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) throw SystemError("mount", "/");
  if (::mount("none", kDirectory, "tmpfs", MS_NODEV | MS_NOSUID, nullptr) < 0) {
    throw SystemError("mount", kDirectory);
  }
  const UniqueFd name(::open(kName, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
  if (!name) throw SystemError("open", kName);
  if (::mount(kThisNamespace, kName, nullptr, MS_BIND, nullptr) < 0) throw SystemError("mount", kName);
  struct statfs info {};
  if (::statfs(kName, &info) < 0) throw SystemError("statfs", kName);
  if (info.f_type != NSFS_MAGIC) throw Error(EINVAL, "statfs", "not a namespace").Path(kName);
}

void Append(std::vector<ProbeResult>& results, std::vector<ProbeResult> more) {
  std::move(more.begin(), more.end(), std::back_inserter(results));
}

}  // namespace

ProbeResult Try(std::string_view feature, const std::function<void()>& use) {
  try {
    use();
    return {std::string(feature), true, {}, {}};
  } catch (const Error& error) {
    return {std::string(feature), false, ErrnoName(error.Errnum()), error.Syscall()};
  }
}

std::vector<ProbeResult> Probe() {
  std::vector<ProbeResult> results;
  const auto netns = Try("netns", [&] {
    RunInNewNamespace([&] {
      Append(results, ProbeLinks());
      Append(results, ProbeNft());
      results.push_back(Try("mount", BindNamespace));
    });
  });
  results.insert(results.begin(), netns);
  return results;
}

}  // namespace vulcan

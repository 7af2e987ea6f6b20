#pragma once

#include <array>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/unique_fd.h"
#include "base/wait.h"

namespace vulcan::addon {

// Does what can be done now. Empty: the job is done. Otherwise it is called again when the wait is over.
using Job = std::function<std::optional<Wait>()>;

// A thread and its jobs. A job that blocks holds up the others of its lane; one that returns a Wait doesn't.
// The thread never changes namespace.
class Lane {
 public:
  explicit Lane(const char* name);
  // Returns when every job is done, so whoever destroys a lane cancels its tasks first.
  ~Lane();

  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void Post(Job job);

 private:
  void Loop(const char* name);
  // Whether no more will be posted.
  [[nodiscard]] bool TakePosted(std::deque<Job>& jobs);
  void Wake() noexcept;

  UniqueFd wake_;
  std::mutex mutex_;
  std::deque<Job> posted_;
  bool stopping_ = false;
  // Last, so that it is started when all it uses is there.
  std::thread thread_;
};

enum class LaneName {
  kControl,    // netlink, nftables and sysctl of the host's namespace
  kNamespace,  // what is done in other namespaces, and what goes with it
  kProcess,    // child processes
  kFile,       // locks and files
  kSlot,       // slots that get a VM and lose it, their ports' cut included, behind no other work
  kScan,       // what looks at all that there is: /proc, directories, dumps, tracked connections
};

// The lanes of one environment; each is started by its first job.
class Lanes {
 public:
  void Post(LaneName name, Job job);
  void Stop() noexcept;

 private:
  static constexpr std::array kThreadNames = {"vulcan-control", "vulcan-netns", "vulcan-process",
                                              "vulcan-file",    "vulcan-slot",  "vulcan-scan"};
  std::array<std::optional<Lane>, kThreadNames.size()> lanes_;
};

}  // namespace vulcan::addon

#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/unique_fd.h"
#include "base/wait.h"

namespace vulcan {

// A mount that is being taken away.
class Unmount {
 public:
  // By a descriptor (O_PATH) of its root; `path` is for the error.
  Unmount(UniqueFd root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}

  ~Unmount() = default;
  Unmount(const Unmount&) = delete;
  Unmount& operator=(const Unmount&) = delete;

  // Throws what the kernel refused.
  [[nodiscard]] bool HasEnded();
  // Until it has ended.
  [[nodiscard]] Wait End();
  // Waits for it. Whether it went well.
  [[nodiscard]] bool AwaitEnd();

 private:
  friend class Unmounter;

  void Run() noexcept;

  UniqueFd root_;
  std::string path_;
  std::mutex mutex_;
  bool ended_ = false;
  int errnum_ = 0;
  // Of whoever waits.
  UniqueFd end_;
};

// Takes mounts away on a thread of its own. The kernel detaches a mount at once, and then waits until no
// processor looks at it any more (synchronize_rcu_expedited in namespace_unlock of fs/namespace.c): twice as
// long as all else that a teardown does, and nobody needs to wait for that. One thread at a time calls it.
class Unmounter {
 public:
  Unmounter() = default;
  // Takes away what was begun.
  ~Unmounter();

  Unmounter(const Unmounter&) = delete;
  Unmounter& operator=(const Unmounter&) = delete;

  [[nodiscard]] std::shared_ptr<Unmount> Begin(UniqueFd root, std::string path);

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Unmount>> begun_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vulcan

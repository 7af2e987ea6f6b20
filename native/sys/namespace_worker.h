#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "base/unique_fd.h"
#include "sys/netns.h"

namespace vulcan {

// A thread for work in new namespaces, kept for the next: starting one costs as much as naming a namespace.
// It comes back to the namespace that it was made in; when it can't, it ends, and the next work gets another.
// One thread at a time calls it.
class NamespaceWorker {
 public:
  NamespaceWorker() = default;
  ~NamespaceWorker() { Stop(); }

  NamespaceWorker(const NamespaceWorker&) = delete;
  NamespaceWorker& operator=(const NamespaceWorker&) = delete;

  // Starts `body` in a namespace made for it; one at a time. What `body` refers to must live until Finish, or
  // as long as this object.
  void Begin(std::function<void()> body);
  // Whether Finish need not wait.
  [[nodiscard]] bool IsDone();
  // Waits for what was begun; what it threw is thrown here.
  void Finish();

 private:
  enum class State { kIdle, kWork, kDone, kStop };

  void Start();
  void Stop() noexcept;
  void Loop();
  // Whether the thread is back home.
  [[nodiscard]] bool Run() noexcept;

  UniqueFd home_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kIdle;
  std::function<void()> body_;
  std::exception_ptr failure_;
  bool lost_ = false;
  std::thread thread_;
};

}  // namespace vulcan

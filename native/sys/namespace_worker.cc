#include "sys/namespace_worker.h"

#include <pthread.h>
#include <sched.h>

#include <utility>

#include "base/error.h"
#include "sys/thread_class.h"

namespace vulcan {

void NamespaceWorker::Begin(std::function<void()> body) {
  if (lost_) Stop();
  if (!thread_.joinable()) Start();
  {
    const std::lock_guard guard(mutex_);
    body_ = std::move(body);
    state_ = State::kWork;
  }
  changed_.notify_all();
}

bool NamespaceWorker::IsDone() {
  const std::lock_guard guard(mutex_);
  return state_ == State::kDone;
}

void NamespaceWorker::Finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ == State::kDone; });
  state_ = State::kIdle;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void NamespaceWorker::Start() {
  home_ = OpenCurrentNamespace();
  lost_ = false;
  state_ = State::kIdle;
  thread_ = std::thread([this] { Loop(); });
}

void NamespaceWorker::Stop() noexcept {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    // What was begun and never finished would put another state in the place of this one.
    changed_.wait(lock, [this] { return state_ != State::kWork; });
    state_ = State::kStop;
  }
  changed_.notify_all();
  thread_.join();
}

void NamespaceWorker::Loop() {
  ::pthread_setname_np(::pthread_self(), "vulcan-unshare");
  AskForBatch();
  std::unique_lock lock(mutex_);
  for (bool home = true; home;) {
    changed_.wait(lock, [this] { return state_ == State::kWork || state_ == State::kStop; });
    if (state_ == State::kStop) return;
    lock.unlock();
    home = Run();
    lock.lock();
    lost_ = !home;
    body_ = nullptr;
    state_ = State::kDone;
    changed_.notify_all();
  }
}

bool NamespaceWorker::Run() noexcept {
  try {
    if (::unshare(CLONE_NEWNET) != 0) throw SystemError("unshare");
    body_();
  } catch (...) {
    failure_ = std::current_exception();
  }
  return ::setns(home_.Get(), CLONE_NEWNET) == 0;
}

}  // namespace vulcan

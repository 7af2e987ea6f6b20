#include "sys/unmounter.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "sys/anchor_name.h"
#include "sys/thread_class.h"

namespace vulcan {

bool Unmount::HasEnded() {
  const std::lock_guard guard(mutex_);
  if (errnum_ != 0) throw Error(errnum_, "umount").Path(path_);
  return ended_;
}

Wait Unmount::End() {
  const std::lock_guard guard(mutex_);
  if (ended_) return {{}, Clock::now()};
  if (!end_) end_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!end_) throw SystemError("eventfd");
  return {{{end_.Get(), POLLIN, 0}}};
}

bool Unmount::AwaitEnd() {
  Wait end = End();
  while (::poll(end.fds.data(), end.fds.size(), PollTimeoutMs(end.until)) < 0 && errno == EINTR) {
  }
  const std::lock_guard guard(mutex_);
  return errnum_ == 0;
}

void Unmount::Run() noexcept {
  const bool is_done = ::umount2(PathOfFd(root_.Get()).c_str(), MNT_DETACH) == 0;
  const int errnum = is_done ? 0 : errno;
  root_.Reset();
  const std::lock_guard guard(mutex_);
  ended_ = true;
  errnum_ = errnum;
  if (!end_) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(end_.Get(), &one, sizeof one);
}

Unmounter::~Unmounter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<Unmount> Unmounter::Begin(UniqueFd root, std::string path) {
  auto unmount = std::make_shared<Unmount>(std::move(root), std::move(path));
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  {
    const std::lock_guard guard(mutex_);
    begun_.push_back(unmount);
  }
  changed_.notify_all();
  return unmount;
}

void Unmounter::Loop() {
  ::pthread_setname_np(::pthread_self(), "vulcan-unmount");
  AskForShortSlice();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !begun_.empty(); });
    if (begun_.empty()) return;
    const auto next = std::move(begun_.front());
    begun_.pop_front();
    lock.unlock();
    next->Run();
    lock.lock();
  }
}

}  // namespace vulcan

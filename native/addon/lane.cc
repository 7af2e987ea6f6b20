#include "addon/lane.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sys/thread_class.h"

namespace vulcan::addon {
namespace {

struct Waiting {
  Job job;
  Wait wait;
};

[[nodiscard]] bool IsOver(const Wait& wait, const pollfd* polled) {
  for (std::size_t i = 0; i < wait.fds.size(); ++i) {
    if (polled[i].revents != 0) return true;
  }
  return wait.until <= Clock::now();
}

void Drain(int wake) noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake, &count, sizeof count);
}

// poll() over the wake-up and all that is waited for; takes out of `waiting` what may go on.
[[nodiscard]] std::vector<Job> TakeReady(int wake, std::vector<Waiting>& waiting) {
  std::vector<pollfd> polled{{wake, POLLIN, 0}};
  auto until = Clock::time_point::max();
  for (const Waiting& each : waiting) {
    polled.insert(polled.end(), each.wait.fds.begin(), each.wait.fds.end());
    until = std::min(until, each.wait.until);
  }
  const int timeout_ms = PollTimeoutMs(until);
  if (timeout_ms == 0) LetOthersRun();
  ::poll(polled.data(), polled.size(), timeout_ms);
  // Before what was posted is looked at: what is posted later wakes again.
  if (polled.front().revents != 0) Drain(wake);

  std::vector<Job> ready;
  std::vector<Waiting> still;
  const pollfd* next = polled.data() + 1;
  for (Waiting& each : waiting) {
    const bool over = IsOver(each.wait, next);
    next += each.wait.fds.size();
    if (over) {
      ready.push_back(std::move(each.job));
    } else {
      still.push_back(std::move(each));
    }
  }
  waiting = std::move(still);
  return ready;
}

}  // namespace

Lane::Lane(const char* name) : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw SystemError("eventfd");
  thread_ = std::thread([this, name] { Loop(name); });
}

Lane::~Lane() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void Lane::Post(Job job) {
  bool is_first = false;
  {
    const std::lock_guard guard(mutex_);
    is_first = posted_.empty();
    posted_.push_back(std::move(job));
  }
  // Those before it have woken the thread, which will take all of them.
  if (is_first) Wake();
}

void Lane::Loop(const char* name) {
  // Signals belong to Node's main thread.
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), name);
  AskForShortSlice();

  std::vector<Waiting> waiting;
  const auto step = [&waiting](Job job) {
    if (auto wait = job()) waiting.push_back({std::move(job), std::move(*wait)});
  };
  std::deque<Job> jobs;
  for (;;) {
    const bool last = TakePosted(jobs);
    for (; !jobs.empty(); jobs.pop_front()) step(std::move(jobs.front()));
    if (last && waiting.empty()) return;
    for (Job& job : TakeReady(wake_.Get(), waiting)) step(std::move(job));
  }
}

bool Lane::TakePosted(std::deque<Job>& jobs) {
  const std::lock_guard guard(mutex_);
  jobs.swap(posted_);
  return stopping_;
}

void Lane::Wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.Get(), &one, sizeof one);
}

void Lanes::Post(LaneName name, Job job) {
  auto& lane = lanes_[static_cast<std::size_t>(name)];
  if (!lane) lane.emplace(kThreadNames[static_cast<std::size_t>(name)]);
  lane->Post(std::move(job));
}

void Lanes::Stop() noexcept {
  for (auto& lane : lanes_) lane.reset();
}

}  // namespace vulcan::addon

#include "sys/process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "sys/stragglers.h"

namespace vulcan {
namespace {

using std::chrono::milliseconds;

// A leader's own output is all there when it ends; what holds the pipes longer is a child that it left
// behind.
constexpr milliseconds kGrace{1'000};
// For what SIGKILL does not end at once: a process that sleeps in the kernel, or one that left the group.
constexpr milliseconds kKillPatience{2'000};
// The sum of the pauses while the file is being written is about a second.
constexpr milliseconds kLongestBusyPause{512};

constexpr std::size_t kChunkBytes = 65'536;
// A child that prints without end must not keep the thread from the others.
constexpr int kChunksPerStep = 16;

// Whether anything was cut off. The pipe is closed at its end.
[[nodiscard]] bool ReadSome(UniqueFd& pipe, std::string& text, std::size_t limit) {
  std::array<char, kChunkBytes> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  bool cut = false;
  for (int i = 0; pipe && i < kChunksPerStep; ++i) {
    const ssize_t got = ::read(pipe.Get(), chunk.data(), chunk.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) {
      pipe.Reset();
      break;
    }
    const std::size_t take = std::min(static_cast<std::size_t>(got), limit - text.size());
    text.append(chunk.data(), take);
    cut |= take < static_cast<std::size_t>(got);
  }
  return cut;
}

// The leader may have joined another group.
void KillAll(const Spawned& child) noexcept {
  ::kill(-child.pid, SIGKILL);
  // glibc 2.36 declares its wrapper without extern "C".
  ::syscall(SYS_pidfd_send_signal, child.pidfd.Get(), SIGKILL, nullptr, 0);
}

[[nodiscard]] std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return std::string("SIG").append(name != nullptr ? name : std::to_string(signal));
}

}  // namespace

Process::~Process() {
  if (child_.pid < 0) return;
  KillAll(child_);
  pollfd ended{child_.pidfd.Get(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(kKillPatience.count()));
  if (::waitpid(child_.pid, nullptr, WNOHANG) == 0) AddStraggler(std::move(child_.pidfd));
}

Progress<ProcessResult> Process::Step(const Cancellation& cancellation) {
  if (child_.pid < 0) {
    if (auto wait = Start(cancellation)) return std::move(*wait);
  }
  ReadPipes();
  NoticeExit();
  const auto now = Clock::now();
  if (!IsOver(now)) {
    KillIfDue(cancellation, now);
    return NextWait(cancellation);
  }
  Reap();
  return std::move(result_);
}

std::optional<Wait> Process::Start(const Cancellation& cancellation) {
  cancellation.ThrowIfCancelled();
  const int cancelled = cancellation.Fd();
  const auto now = Clock::now();
  if (!first_try_) first_try_ = now;
  ReapStragglers();
  if (auto child = Spawn(plan_)) {
    child_ = std::move(*child);
    is_cut_short_ = true;
    started_ = Clock::now();
    return std::nullopt;
  }
  const auto again = now + std::exchange(busy_pause_, busy_pause_ * 2);
  if (busy_pause_ > 2 * kLongestBusyPause || again >= *first_try_ + limits_.timeout) {
    throw Error(ETXTBSY, "posix_spawn").Path(plan_.file);
  }
  return Wait{{{cancelled, POLLIN, 0}}, again};
}

void Process::ReadPipes() {
  result_.output_overflow |= ReadSome(child_.output, result_.output, limits_.output);
  static_cast<void>(ReadSome(child_.errors, result_.errors, limits_.errors));
}

void Process::NoticeExit() {
  if (exited_) return;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(child_.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    // ECHILD: the application ignores SIGCHLD, or reaps children that are not its own.
    const Error error = SystemError("waitid", plan_.file);
    if (error.Errnum() == ECHILD) child_.pid = -1;
    throw error;
  }
  if (info.si_pid != 0) exited_ = Clock::now();
}

void Process::KillIfDue(const Cancellation& cancellation, Clock::time_point now) {
  if (killed_) return;
  if (result_.output_overflow) return Kill(now);
  if (cancellation.IsCancelled()) {
    result_.cancelled = true;
    return Kill(now);
  }
  if (exited_ ? now >= *exited_ + kGrace : now >= started_ + limits_.timeout) {
    result_.timed_out = !exited_;
    Kill(now);
  }
}

void Process::Kill(Clock::time_point now) {
  KillAll(child_);
  killed_ = now;
}

bool Process::IsOver(Clock::time_point now) const {
  if (!exited_) return killed_ && now >= *killed_ + kKillPatience;
  return (!child_.output && !child_.errors) || (killed_ && now >= *killed_ + kKillPatience);
}

Wait Process::NextWait(const Cancellation& cancellation) const {
  Wait wait;
  const auto add = [&wait](int fd) { wait.fds.push_back({fd, POLLIN, 0}); };
  if (child_.output) add(child_.output.Get());
  if (child_.errors) add(child_.errors.Get());
  if (!exited_) add(child_.pidfd.Get());
  if (killed_) {
    wait.until = *killed_ + kKillPatience;
  } else {
    add(cancellation.Fd());
    wait.until = exited_ ? *exited_ + kGrace : started_ + limits_.timeout;
  }
  return wait;
}

void Process::Reap() {
  siginfo_t info{};
  const pid_t pid = std::exchange(child_.pid, -1);
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0) throw SystemError("waitid");
  if (info.si_pid == 0) {
    AddStraggler(std::move(child_.pidfd));
    throw Error(EBUSY, "kill", "the process does not end, even though it was killed").Path(plan_.file);
  }
  if (info.si_code == CLD_EXITED) {
    result_.exit_code = info.si_status;
    is_cut_short_ = false;
  } else {
    result_.signal = SignalName(info.si_status);
  }
  result_.duration = Clock::now() - started_;
}

}  // namespace vulcan

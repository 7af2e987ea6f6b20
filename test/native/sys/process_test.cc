#include "sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "base/unique_fd.h"
#include "temporary_directory.h"
#include "throws.h"

namespace vulcan {
namespace {

using std::chrono::milliseconds;

constexpr ProcessLimits kGenerous{milliseconds(20'000), 1'000'000, 1'000'000};

[[nodiscard]] SpawnPlan Shell(std::string script, std::string input = {}) {
  SpawnPlan plan;
  plan.file = "/bin/sh";
  plan.args = {"-c", std::move(script)};
  plan.env = {"PATH=/usr/bin:/bin"};
  plan.input = std::move(input);
  return plan;
}

[[nodiscard]] ProcessResult RunToEnd(Process& process, const Cancellation& cancellation) {
  for (;;) {
    auto progress = process.Step(cancellation);
    if (progress.result) return std::move(*progress.result);
    ::poll(progress.wait->fds.data(), progress.wait->fds.size(), PollTimeoutMs(progress.wait->until));
  }
}

[[nodiscard]] ProcessResult RunToEnd(SpawnPlan plan, const ProcessLimits& limits,
                                     const Cancellation& cancellation) {
  Process process(std::move(plan), limits);
  return RunToEnd(process, cancellation);
}

[[nodiscard]] ProcessResult RunToEnd(SpawnPlan plan, const ProcessLimits& limits = kGenerous) {
  return RunToEnd(std::move(plan), limits, Cancellation());
}

// A killed process's number is free only when whoever inherited it has reaped it.
[[nodiscard]] bool IsRunning(const std::string& pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + pid + "/stat"), line);
  return !line.empty() && line.find(") Z ") == std::string::npos;
}

// The pipes of a process that is killed are closed a moment before it is gone.
[[nodiscard]] bool EndsSoon(const std::string& pid) {
  constexpr int kTries = 1'000;
  for (int i = 0; i < kTries && IsRunning(pid); ++i) std::this_thread::sleep_for(milliseconds(5));
  return !IsRunning(pid);
}

[[nodiscard]] std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

[[nodiscard]] pid_t NumberSoonIn(const std::string& file) {
  constexpr int kTries = 1'000;
  pid_t number = -1;
  for (int i = 0; i < kTries && !(std::ifstream(file) >> number); ++i) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  return number;
}

[[nodiscard]] bool IsChild(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// A process that traces another until its end, and leaves what becomes of that to be asked for.
class Tracer {
 public:
  explicit Tracer(pid_t traced) {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) throw SystemError("pipe2");
    pid_ = ::fork();
    if (pid_ == 0) {
      const bool tracing = ::ptrace(PTRACE_SEIZE, traced, nullptr, nullptr) == 0;
      if (::write(ready[1], "y", tracing ? 1 : 0) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char answer = 0;
    const UniqueFd reading(ready[0]);
    EXPECT_EQ(::read(reading.Get(), &answer, 1), 1);
  }
  ~Tracer() { End(); }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  void End() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
};

TEST(Process, PipesInputAndBothOutputs) {
  const auto result = RunToEnd(Shell("cat; echo oops >&2; exit 3", "hello"));
  EXPECT_EQ(result.output, "hello");
  EXPECT_EQ(result.errors, "oops\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.signal, std::nullopt);
}

TEST(Process, PipesMoreInputThanAPipeHolds) {
  const std::string input(900'000, 'x');
  EXPECT_EQ(RunToEnd(Shell("cat", input)).output, input);
}

TEST(Process, GivesTheWholeEnvironmentAndNoMore) {
  SpawnPlan plan;
  plan.file = "/usr/bin/env";
  plan.env = {"A=1", "B=2"};
  EXPECT_EQ(RunToEnd(std::move(plan)).output, "A=1\nB=2\n");
}

TEST(Process, NamesTheSignalThatEndedIt) {
  const auto result = RunToEnd(Shell("kill -TERM $$"));
  EXPECT_EQ(result.signal, "SIGTERM");
  EXPECT_EQ(result.exit_code, std::nullopt);
}

TEST(Process, StartsWithDefaultSignalsAndNoMask) {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto result =
      RunToEnd(Shell("while read -r key mask; do case $key in SigBlk:|SigIgn:) echo $mask;; esac; "
                     "done </proc/self/status"));
  ::signal(SIGPIPE, before);
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  std::istringstream masks(result.output);
  std::uint64_t blocking = 0;
  std::uint64_t ignoring = 0;
  masks >> std::hex >> blocking >> ignoring;
  ASSERT_TRUE(masks);
  // glibc ignores 32 and 33 in every child; they are its own.
  constexpr std::uint64_t kStandardSignals = 0x7fff'ffff;
  EXPECT_EQ(blocking & kStandardSignals, 0U);
  EXPECT_EQ(ignoring & kStandardSignals, 0U);
}

TEST(Process, KillsTheWholeGroupAtItsDeadline) {
  const auto result = RunToEnd(Shell("sleep 100 & echo $!; wait"), {milliseconds(3'000), 1'000, 1'000});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, "SIGKILL");
  ASSERT_FALSE(FirstLine(result.output).empty());
  EXPECT_TRUE(EndsSoon(FirstLine(result.output)));
}

TEST(Process, KillsAGrandchildThatHoldsThePipesAfterItsLeader) {
  const auto result = RunToEnd(Shell("sleep 100 & echo $!; exit 0"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_FALSE(result.timed_out);
  EXPECT_TRUE(EndsSoon(FirstLine(result.output)));
}

TEST(Process, KillsALeaderThatJoinedAnotherGroup) {
  const TemporaryDirectory temporary;
  SpawnPlan plan = Shell("");
  plan.file = "/usr/bin/perl";
  // A child's: that of who started it is out of reach in a process namespace of one's own.
  plan.args = {"-e",
               "my $other = fork // die; sleep 100 unless $other;"
               "setpgrp($other, $other) && setpgrp(0, $other) or die $!;"
               "kill 9, $other; waitpid $other, 0;"
               "open(F, '>', shift) or die $!; print F $$; close F; sleep 100",
               temporary / "pid"};
  Process process(std::move(plan), kGenerous);
  Cancellation cancellation;
  EXPECT_TRUE(process.Step(cancellation).wait);
  EXPECT_GT(NumberSoonIn(temporary / "pid"), 0);
  cancellation.Cancel();
  const auto result = RunToEnd(process, cancellation);
  EXPECT_EQ(result.errors, "");
  EXPECT_EQ(result.signal, "SIGKILL");
}

// Who is traced is its tracer's to reap first.
TEST(Process, ReapsLaterWhoeverDoesNotEndInTime) {
  const TemporaryDirectory temporary;
  Process process(Shell("echo $$ >" + (temporary / "pid") + "; exec sleep 100"), kGenerous);
  const Cancellation cancellation;
  EXPECT_TRUE(process.Step(cancellation).wait);
  const pid_t pid = NumberSoonIn(temporary / "pid");
  Tracer tracer(pid);
  Cancellation cancelled;
  cancelled.Cancel();
  EXPECT_TRUE(Throws(EBUSY, [&] { static_cast<void>(RunToEnd(process, cancelled)); }));
  EXPECT_TRUE(IsChild(pid));
  tracer.End();
  EXPECT_EQ(RunToEnd(Shell("true")).exit_code, 0);
  EXPECT_FALSE(IsChild(pid));
}

TEST(Process, DoesNotWaitForAGrandchildThatLeftThePipes) {
  // It leaves them some time after the fork.
  const auto result = RunToEnd(
      Shell("sleep 100 >/dev/null 2>&1 & "
            "until [ /proc/$!/fd/1 -ef /dev/null ] && [ /proc/$!/fd/2 -ef /dev/null ]; do :; done; echo $!"));
  const std::string pid = FirstLine(result.output);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(IsRunning(pid));
  ::kill(std::stoi(pid), SIGKILL);
}

TEST(Process, IsKilledWhenItPrintsTooMuch) {
  const auto result = RunToEnd(Shell("cat /dev/zero"), {milliseconds(20'000), 10'000, 1'000});
  EXPECT_TRUE(result.output_overflow);
  EXPECT_EQ(result.output.size(), 10'000U);
  EXPECT_EQ(result.signal, "SIGKILL");
}

TEST(Process, MayPrintExactlyItsLimit) {
  const auto result = RunToEnd(Shell("printf 12345"), {milliseconds(20'000), 5, 5});
  EXPECT_FALSE(result.output_overflow);
  EXPECT_EQ(result.output, "12345");
}

TEST(Process, DropsStderrBeyondItsLimit) {
  const auto result =
      RunToEnd(Shell("head -c 300000 /dev/zero >&2; echo done"), {milliseconds(20'000), 100, 1'000});
  EXPECT_EQ(result.errors.size(), 1'000U);
  EXPECT_EQ(result.output, "done\n");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Process, IsKilledWhenItIsCancelled) {
  Cancellation cancellation;
  Process process(Shell("sleep 100"), kGenerous);
  EXPECT_TRUE(process.Step(cancellation).wait);
  cancellation.Cancel();
  const auto result = RunToEnd(process, cancellation);
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.signal, "SIGKILL");
}

TEST(Process, IsNotStartedOnceCancelled) {
  Cancellation cancellation;
  cancellation.Cancel();
  EXPECT_TRUE(
      Throws(ECANCELED, [&] { static_cast<void>(RunToEnd(Shell("true"), kGenerous, cancellation)); }));
}

TEST(Process, SaysWhyItCannotStart) {
  const TemporaryDirectory temporary;
  SpawnPlan plan;
  plan.file = temporary / "none";
  EXPECT_TRUE(Throws(ENOENT, [&] { static_cast<void>(RunToEnd(plan)); }));
  std::ofstream(temporary / "none") << "not executable";
  EXPECT_TRUE(Throws(EACCES, [&] { static_cast<void>(RunToEnd(plan)); }));
}

}  // namespace
}  // namespace vulcan

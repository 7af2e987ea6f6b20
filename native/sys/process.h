#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "base/cancellation.h"
#include "base/wait.h"
#include "sys/spawn.h"

namespace vulcan {

struct ProcessLimits {
  std::chrono::milliseconds timeout;
  std::size_t output;
  std::size_t errors;
};

struct ProcessResult {
  // One of the two.
  std::optional<int> exit_code;
  std::optional<std::string> signal;
  std::string output;
  std::string errors;
  bool timed_out = false;
  bool cancelled = false;
  bool output_overflow = false;
  std::chrono::duration<double, std::milli> duration{};
};

// A child process from its start to its end. On its deadline, when it is cancelled, and when it prints more
// than its limit, its whole process group is killed. The leader stays unreaped until then, so that the number
// of the group can't have become somebody else's.
class Process {
 public:
  Process(SpawnPlan plan, const ProcessLimits& limits) : plan_(std::move(plan)), limits_(limits) {}
  ~Process();

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Never blocks. Throws when the program can't be started, also when it is cancelled before its start.
  [[nodiscard]] Progress<ProcessResult> Step(const Cancellation& cancellation);
  // Whether it was started and has not ended by itself, so that children of its own may still be at work.
  [[nodiscard]] bool IsCutShort() const noexcept { return is_cut_short_; }

 private:
  [[nodiscard]] std::optional<Wait> Start(const Cancellation& cancellation);
  void ReadPipes();
  void NoticeExit();
  void KillIfDue(const Cancellation& cancellation, Clock::time_point now);
  void Kill(Clock::time_point now);
  [[nodiscard]] bool IsOver(Clock::time_point now) const;
  [[nodiscard]] Wait NextWait(const Cancellation& cancellation) const;
  void Reap();

  SpawnPlan plan_;
  ProcessLimits limits_;
  std::chrono::milliseconds busy_pause_{1};
  Spawned child_;
  ProcessResult result_;
  std::optional<Clock::time_point> first_try_;
  Clock::time_point started_;
  std::optional<Clock::time_point> exited_;
  std::optional<Clock::time_point> killed_;
  bool is_cut_short_ = false;
};

}  // namespace vulcan

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "addon/bind_sys.h"
#include "addon/task.h"
#include "sys/process.h"

namespace vulcan::addon {
namespace {

struct ExecPlan {
  ExecPlan(std::unique_ptr<Process> its_process, std::shared_ptr<Lock> its_lock)
      : process(std::move(its_process)), lock(std::move(its_lock)) {}
  ~ExecPlan() {
    if (process && lock && process->IsCutShort()) lock->LeaveToChildren();
  }
  ExecPlan(const ExecPlan&) = delete;
  ExecPlan& operator=(const ExecPlan&) = delete;
  ExecPlan(ExecPlan&&) noexcept = default;
  ExecPlan& operator=(ExecPlan&&) = delete;

  std::unique_ptr<Process> process;
  // Held until the child has ended.
  std::shared_ptr<Lock> lock;
};

[[nodiscard]] ExecPlan ToExecPlan(const LockTable& locks, const Fields& plan) {
  SpawnPlan spawn;
  spawn.file = plan.String("file");
  if (plan.Has("args")) spawn.args = plan.Strings("args");
  spawn.env = plan.Strings("env");
  spawn.input = plan.Text("stdin");
  auto lock = OptionalLockOf(locks, plan);
  if (lock) spawn.inherited_fd = lock->Lend();
  const ProcessLimits limits{std::chrono::milliseconds(plan.Integer<std::int64_t>("timeoutMs")),
                             plan.Integer<std::size_t>("stdoutLimit"),
                             plan.Integer<std::size_t>("stderrLimit")};
  return {std::make_unique<Process>(std::move(spawn), limits), std::move(lock)};
}

[[nodiscard]] Napi::Value ResultToJs(Napi::Env env, const ProcessResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("exitCode", result.exit_code ? Napi::Number::New(env, *result.exit_code) : env.Null());
  object.Set("signal", ToJs(env, result.signal));
  object.Set("stdout", ToJs(env, result.output));
  object.Set("stderr", ToJs(env, result.errors));
  object.Set("timedOut", Napi::Boolean::New(env, result.timed_out));
  object.Set("cancelled", Napi::Boolean::New(env, result.cancelled));
  object.Set("stdoutOverflow", Napi::Boolean::New(env, result.output_overflow));
  object.Set("durationMs", Napi::Number::New(env, result.duration.count()));
  return object;
}

}  // namespace

void BindExec(Napi::Object exports, Module& module) {
  Export(
      exports, module, "exec", LaneName::kProcess,
      [&locks = module.Locks()](const Fields& plan) { return ToExecPlan(locks, plan); },
      [](ExecPlan& plan, const Cancellation& cancellation) { return plan.process->Step(cancellation); },
      ResultToJs);
}

}  // namespace vulcan::addon

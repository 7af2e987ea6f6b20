#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "addon/convert.h"
#include "addon/lane.h"
#include "addon/module.h"
#include "base/cancellation.h"
#include "base/wait.h"

namespace vulcan::addon {

// One promise and the work behind it. Its life: Run (lane, once or until nothing is left to wait for) ->
// Settle (environment's thread) -> destroyed there. When the environment ends in between, it is destroyed
// unsettled.
class Task {
 public:
  explicit Task(Napi::Env env) : deferred_(Napi::Promise::Deferred::New(env)) {}
  virtual ~Task() = default;

  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] Napi::Promise Promise() const { return deferred_.Promise(); }
  void Cancel() noexcept { cancellation_.Cancel(); }
  // The only place where what the core throws is caught.
  [[nodiscard]] std::optional<Wait> Run() noexcept;
  void Settle(Napi::Env env) noexcept;
  // What the work held, once Run has ended: whoever ends it does so on the lane, after the result is on its
  // way.
  [[nodiscard]] virtual std::shared_ptr<void> TakePlan() = 0;
  // In place of Run, when there is no thread to run it.
  void Fail(Error error) noexcept { error_ = std::move(error); }

 protected:
  [[nodiscard]] virtual std::optional<Wait> Step(const Cancellation& cancellation) = 0;
  [[nodiscard]] virtual Napi::Value Result(Napi::Env env) = 0;

 private:
  Napi::Promise::Deferred deferred_;
  Cancellation cancellation_;
  bool started_ = false;
  std::optional<Error> error_;
};

template <typename Returned>
struct Outcome {
  using Type = Returned;
};
template <typename Result>
struct Outcome<Progress<Result>> {
  using Type = Result;
};
template <>
struct Outcome<void> {
  using Type = std::monostate;
};

template <typename Plan, typename RunFunction, typename Convert>
class PlannedTask final : public Task {
 public:
  PlannedTask(Napi::Env env, Plan plan, RunFunction run, Convert convert)
      : Task(env),
        plan_(std::make_shared<Plan>(std::move(plan))),
        run_(std::move(run)),
        convert_(std::move(convert)) {}

  [[nodiscard]] std::shared_ptr<void> TakePlan() override { return std::move(plan_); }

 protected:
  std::optional<Wait> Step(const Cancellation& cancellation) override {
    if constexpr (std::is_void_v<Returned>) {
      run_(*plan_, cancellation);
      result_.emplace();
    } else if constexpr (std::is_same_v<Returned, typename Outcome<Returned>::Type>) {
      result_.emplace(run_(*plan_, cancellation));
    } else {
      auto progress = run_(*plan_, cancellation);
      if (progress.wait) return std::move(progress.wait);
      result_ = std::move(progress.result);
    }
    return std::nullopt;
  }
  Napi::Value Result(Napi::Env env) override {
    if constexpr (std::is_void_v<Returned>) {
      return env.Undefined();
    } else {
      return convert_(env, std::move(*result_));
    }
  }

 private:
  using Returned = std::invoke_result_t<RunFunction&, Plan&, const Cancellation&>;

  std::shared_ptr<Plan> plan_;
  RunFunction run_;
  Convert convert_;
  std::optional<typename Outcome<Returned>::Type> result_;
};

struct ConvertPlainly {
  template <typename T>
  Napi::Value operator()(Napi::Env env, T value) const {
    return ToJs(env, value);
  }
};

// Exports `name`, an asynchronous function of one plan:
//   parse(const Fields&) -> Plan                          environment's thread; throws TypeError
//   run(Plan&, const Cancellation&) -> Result             lane; throws Error; may return Progress<Result>
//   convert(Napi::Env, Result) -> Napi::Value             environment's thread
// `convert` may be left out for void, bool, double, std::string, vectors of strings, and optionals of them.
template <typename Parse, typename RunFunction, typename Convert = ConvertPlainly>
void Export(Napi::Object exports, Module& module, const char* name, LaneName lane, Parse parse,
            RunFunction run, Convert convert = {}) {
  const auto call = [&module, lane, parse, run, convert](const Napi::CallbackInfo& info) -> Napi::Value {
    const Napi::Env env = info.Env();
    const Fields fields =
        info[0].IsUndefined() ? Fields(Napi::Object::New(env)) : Fields::Of(info[0], "plan");
    const auto task_id = fields.OptionalInteger<std::uint32_t>("taskId");
    using Plan = std::decay_t<decltype(parse(fields))>;
    auto task = std::make_unique<PlannedTask<Plan, RunFunction, Convert>>(env, parse(fields), run, convert);
    const Napi::Promise promise = task->Promise();
    module.Submit(env, std::move(task), lane, task_id);
    return promise;
  };
  exports.Set(name, Napi::Function::New(exports.Env(), call, name));
}

}  // namespace vulcan::addon

#include "addon/module.h"

#include <exception>
#include <utility>

#include "addon/bind.h"
#include "addon/task.h"

namespace vulcan::addon {

Module::Module(Napi::Env env, Napi::Object exports)
    : deliveries_(env, [this](Napi::Env e, Task* task) { Finish(e, task); }) {
  // Hooks run newest first, so the lanes are joined before the environment closes `deliveries_`.
  env.AddCleanupHook([this] { Shutdown(); });

  exports.Set("cancel", Napi::Function::New(
                            env,
                            [this](const Napi::CallbackInfo& info) {
                              if (!info[0].IsNumber())
                                throw Napi::TypeError::New(info.Env(), "taskId must be a number");
                              Cancel(info[0].As<Napi::Number>().Uint32Value());
                            },
                            "cancel"));
  BindSys(exports, *this);
  BindNetlink(exports, *this);
  BindEngine(exports, *this);
  BindNft(exports, *this);
  BindGuard(exports, *this);
  BindAddresses(exports, *this);
  BindAttachment(exports, *this);
  BindSurvey(exports, *this);
  BindSlots(exports, *this);
  BindRecycling(exports, *this);
}

Module::~Module() = default;

void Module::Submit(Napi::Env env, std::unique_ptr<Task> owned, LaneName lane,
                    std::optional<std::uint32_t> task_id) {
  Task* const task = owned.get();
  if (task_id && !by_id_.emplace(*task_id, task).second) {
    throw Napi::TypeError::New(env, "taskId is in use");
  }
  if (pending_.empty()) deliveries_.Ref(env);
  pending_.emplace(task, Pending{std::move(owned), task_id});
  try {
    lanes_.Post(lane, [this, task]() -> std::optional<Wait> {
      if (auto wait = task->Run()) return wait;
      const auto plan = task->TakePlan();
      deliveries_.Add(task);
      return std::nullopt;
    });
  } catch (const std::exception&) {
    task->Fail(CurrentError());
    Finish(env, task);
  }
}

void Module::Cancel(std::uint32_t task_id) {
  const auto found = by_id_.find(task_id);
  if (found != by_id_.end()) found->second->Cancel();
}

void Module::Finish(Napi::Env env, Task* task) {
  auto node = pending_.extract(task);
  if (node.mapped().id) by_id_.erase(*node.mapped().id);
  if (pending_.empty()) deliveries_.Unref(env);
  task->Settle(env);
}

void Module::Shutdown() noexcept {
  for (const auto& [task, pending] : pending_) task->Cancel();
  lanes_.Stop();
}

NODE_API_NAMED_ADDON(vulcan_net, Module)

}  // namespace vulcan::addon
